import { z } from "zod";
import { DeskhandError } from "../../core/errors.js";
import type { ActionInput } from "../actions.js";
import type { Locator } from "./locator.js";
import { wheelClicks } from "./wheel-clicks.js";

const at = { x: z.number(), y: z.number() };
/** Held while it happens. */
const keys = z.array(z.string().min(1)).nullish();

export const ComputerAction = z.discriminatedUnion("type", [
  z.object({ type: z.literal("click"), ...at, button: z.enum(["left", "right", "wheel", "back", "forward"]), keys }),
  z.object({ type: z.literal("double_click"), ...at, keys }),
  z.object({ type: z.literal("drag"), path: z.array(z.object(at)).min(2), keys }),
  z.object({ type: z.literal("keypress"), keys: z.array(z.string().min(1)).min(1) }),
  z.object({ type: z.literal("move"), ...at, keys }),
  z.object({ type: z.literal("screenshot") }),
  z.object({ type: z.literal("scroll"), ...at, scroll_x: z.number().min(-20_000).max(20_000), scroll_y: z.number().min(-20_000).max(20_000), keys }),
  z.object({ type: z.literal("type"), text: z.string() }),
  z.object({ type: z.literal("wait") }),
]);
type ComputerAction = z.infer<typeof ComputerAction>;

/** `wait` has no length. */
const WAIT_MS = 2000;

/** @throws DeskhandError `model_output`. */
export function toAction(action: ComputerAction, locator: Locator): ActionInput {
  const held = action.type !== "keypress" && "keys" in action && action.keys?.length ? action.keys : undefined;
  switch (action.type) {
    case "click":
      return { type: "click", at: locator.point(action.x, action.y), button: action.button === "wheel" ? "middle" : action.button, held };
    case "double_click":
      return { type: "click", at: locator.point(action.x, action.y), count: 2, held };
    case "drag": {
      const points = action.path.map(({ x, y }) => locator.point(x, y));
      const via = points.slice(1, -1);
      return { type: "drag", from: points[0], ...(via.length > 0 && { via }), to: points.at(-1)!, held };
    }
    case "keypress":
      return { type: "key", keys: action.keys };
    case "move":
      return { type: "move", to: locator.point(action.x, action.y), held };
    case "screenshot":
      return { type: "screenshot" };
    case "scroll":
      if (action.scroll_x === 0 && action.scroll_y === 0) throw new DeskhandError("model_output", "Expected a scroll_x or scroll_y other than 0 but received 0 for both.");
      // Positive is down and right there.
      return { type: "scroll", at: locator.point(action.x, action.y), up: 0 - wheelClicks(action.scroll_y), left: 0 - wheelClicks(action.scroll_x), held };
    case "type":
      return { type: "type", text: action.text };
    case "wait":
      return { type: "wait", ms: WAIT_MS };
  }
}
