import { DeskhandError } from "../core/errors.js";
import { withParam } from "./errors.js";

/** Deeper than any schema or argument that is meant: whatever walks a body level by level, here or in the engine, has this much stack. */
const MAX_DEPTH = 256;

/** @throws DeskhandError `invalid_argument` for a body whose arrays and objects lie deeper in each other than this server goes. */
export function refuseDeep(body: unknown): void {
  let level = containersIn([body]);
  for (let depth = 0; level.length > 0; depth++) {
    if (depth >= MAX_DEPTH) throw new DeskhandError("invalid_argument", `Expected arrays and objects at most ${MAX_DEPTH} deep in each other but they go on. Send a flatter body.`);
    level = level.flatMap((container) => containersIn(Object.values(container)));
  }
}

/** The same of JSON that comes as text: what is none is for its reader to judge. */
export function refuseDeepText(text: string, param: string): void {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return;
  }
  try {
    refuseDeep(value);
  } catch (error) {
    throw withParam(error, param);
  }
}

function containersIn(values: readonly unknown[]): object[] {
  return values.filter((value) => typeof value === "object" && value !== null);
}
