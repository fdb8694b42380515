import { DeskhandError } from "../../core/errors.js";
import type { Dialect } from "./dialect.js";
import { qwen3 } from "./qwen3.js";
import { tiny } from "./tiny.js";

export type { Dialect } from "./dialect.js";

const DIALECTS: readonly Dialect[] = [qwen3, tiny];

/** The names `--dialect` takes. */
export const DIALECT_NAMES: readonly string[] = DIALECTS.map((dialect) => dialect.name);

/** @throws DeskhandError `invalid_argument` for a name that does not exist. */
export function dialectByName(name: string): Dialect {
  const found = DIALECTS.find((dialect) => dialect.name === name);
  if (found) return found;
  throw new DeskhandError("invalid_argument", `Expected a dialect out of ${DIALECT_NAMES.join(", ")} but received ${JSON.stringify(name)}.`, { param: "dialect" });
}

/**
 * The dialect of the first of these ids (what the user asked for, what the server calls it) that one is known for.
 * @throws DeskhandError `unsupported_model` when none is.
 */
export function dialectForModel(...modelIds: string[]): Dialect {
  for (const id of modelIds) {
    const found = DIALECTS.find((dialect) => dialect.matches(id));
    if (found) return found;
  }
  throw new DeskhandError(
    "unsupported_model",
    `Expected a model whose way of operating a computer is known but received ${modelIds.map((id) => JSON.stringify(id)).join(" / ")}. ` +
      `If it speaks one of these dialects, name it with --dialect: ${DIALECT_NAMES.join(", ")}.`,
    { param: "dialect" },
  );
}
