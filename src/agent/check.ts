import { DeskhandError, isDeskhandError } from "../core/errors.js";
import type { Action, Point } from "./actions.js";
import type { Computer, Display } from "./computer/computer.js";
import { resolveChord } from "./computer/keys.js";
import { typeableCharacters } from "./computer/typed-text.js";

/** What has to be known of a computer. */
export type CheckedComputer = Pick<Computer, "buttons" | "display" | "cursor">;

/**
 * Whether the computer can do all of these, before it does the first.
 * @throws DeskhandError `model_output`, worded for the model.
 */
export async function checkActions(actions: readonly Action[], computer: CheckedComputer): Promise<void> {
  const display = await computer.display();
  let cursor = await computer.cursor();
  for (const action of actions) {
    checkInput(action, computer);
    if (action.type === "drag" && !action.from) insideOrThrow(cursor, display);
    if (action.type === "drag" || action.type === "move") cursor = action.to;
    else if ("at" in action) cursor = action.at ?? insideOrThrow(cursor, display);
    for (const point of pointsOf(action)) insideOrThrow(point, display);
  }
}

/** Keys, text and buttons that this computer has. */
function checkInput(action: Action, computer: CheckedComputer): void {
  try {
    if ("keys" in action) resolveChord(action.keys);
    if ("held" in action && action.held) resolveChord(action.held);
    if (action.type === "type") typeableCharacters(action.text);
  } catch (error) {
    if (isDeskhandError(error, "invalid_argument")) throw new DeskhandError("model_output", error.message, { cause: error });
    throw error;
  }
  if ("button" in action && !computer.buttons.includes(action.button)) {
    throw new DeskhandError("model_output", `Expected one of the mouse buttons ${computer.buttons.join(", ")} but received ${action.button}, which cannot be pressed on this system; do it another way.`);
  }
}

function pointsOf(action: Action): Point[] {
  switch (action.type) {
    case "drag":
      return [...(action.from ? [action.from] : []), ...(action.via ?? []), action.to];
    case "move":
      return [action.to];
    default:
      return "at" in action && action.at ? [action.at] : [];
  }
}

function insideOrThrow(point: Point, display: Display): Point {
  const inside = point.x >= display.x && point.y >= display.y && point.x < display.x + display.width && point.y < display.y + display.height;
  if (inside) return point;
  throw new DeskhandError("model_output", `Expected a coordinate on this screen but the action would happen at (${point.x}, ${point.y}), outside of it; give another one, or one where there was none.`);
}
