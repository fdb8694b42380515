import { DeskhandError } from "../../core/errors.js";
import type { Dialect } from "./dialect.js";
import { anthropic2024, anthropic2025, anthropicZoom } from "./anthropic.js";
import { gemma } from "./gemma.js";
import { openAi, openAiPreview } from "./openai.js";
import { planner } from "./planner.js";
import { qwen25, qwen3, qwen35 } from "./qwen.js";
import { showUi } from "./showui.js";
import { tiny } from "./tiny.js";
import { uiTars, uiTars15 } from "./ui-tars.js";

export type { Dialect } from "./dialect.js";

const DIALECTS: readonly Dialect[] = [qwen25, qwen3, qwen35, uiTars, uiTars15, gemma, showUi, openAi, openAiPreview, anthropic2024, anthropic2025, anthropicZoom, tiny];

/** The names `--dialect` takes. */
export const DIALECT_NAMES: readonly string[] = DIALECTS.map((dialect) => dialect.name);

/** @throws DeskhandError `invalid_argument` for a name that does not exist. */
export function dialectByName(name: string): Dialect {
  const found = DIALECTS.find((dialect) => dialect.name === name);
  if (found) return found;
  throw new DeskhandError("invalid_argument", `Expected a dialect out of ${DIALECT_NAMES.join(", ")} but received ${JSON.stringify(name)}.`, { param: "dialect" });
}

/** The dialect of a recorded run, which may have been a planner's. @throws DeskhandError as `dialectByName` does. */
export function recordedDialect(name: string): Dialect {
  return name === planner.name ? planner : dialectByName(name);
}

/**
 * The dialect of a model, by its id, alias or folder.
 * @throws DeskhandError `unsupported_model` when none is known for it.
 */
export function dialectForModel(modelId: string): Dialect {
  const found = DIALECTS.find((dialect) => dialect.matches(modelId));
  if (found) return found;
  throw new DeskhandError(
    "unsupported_model",
    `Expected a model whose way of operating a computer is known but received ${JSON.stringify(modelId)}. ` +
      `If it speaks one of these dialects, name it with --dialect: ${DIALECT_NAMES.join(", ")}.`,
    { param: "dialect" },
  );
}
