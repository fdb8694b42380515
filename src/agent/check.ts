import { DeskhandError, isDeskhandError } from "../core/errors.js";
import type { Action, Point } from "./actions.js";
import type { Computer, Display } from "./computer/computer.js";
import { resolveChord } from "./computer/keys.js";

/**
 * Whether the computer can do all of these, before it does the first.
 * @throws DeskhandError `model_output`, worded for the model.
 */
export async function checkActions(actions: readonly Action[], computer: Computer): Promise<void> {
  const display = await computer.display();
  let cursor = await computer.cursor();
  for (const action of actions) {
    if (action.type === "key") checkKeys(action.keys);
    if (action.type === "click" || action.type === "scroll") cursor = action.at ?? insideOrThrow(cursor, display);
    if (action.type === "drag" && !action.from) insideOrThrow(cursor, display);
    if (action.type === "drag" || action.type === "move") cursor = action.to;
  }
}

function checkKeys(keys: string[]): void {
  try {
    resolveChord(keys);
  } catch (error) {
    if (isDeskhandError(error, "invalid_argument")) throw new DeskhandError("model_output", error.message, { cause: error });
    throw error;
  }
}

/** A given point is inside by the coordinate chain; the cursor may be on another display. */
function insideOrThrow(cursor: Point, display: Display): Point {
  const inside = cursor.x >= display.x && cursor.y >= display.y && cursor.x < display.x + display.width && cursor.y < display.y + display.height;
  if (inside) return cursor;
  throw new DeskhandError("model_output", "Expected a coordinate, because the cursor is not on this screen, but received none.");
}
