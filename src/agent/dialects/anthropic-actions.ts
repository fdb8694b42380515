import { z } from "zod";
import type { ActionInput } from "../actions.js";
import type { Locator } from "./locator.js";

const Coordinate = z.tuple([z.number(), z.number()]);
const coordinate = Coordinate.optional();
/** Keys held meanwhile, joined by plus signs as in xdotool; the first implementation called it `key`. */
const held = { text: z.string().optional(), key: z.string().optional() };
const seconds = z.number().min(0).max(100);

const first = [
  z.strictObject({ action: z.literal("key"), text: z.string().min(1) }),
  z.strictObject({ action: z.literal("type"), text: z.string() }),
  z.strictObject({ action: z.literal("mouse_move"), coordinate: Coordinate, ...held }),
  z.strictObject({ action: z.literal("left_click"), coordinate, ...held }),
  z.strictObject({ action: z.literal("left_click_drag"), start_coordinate: coordinate, coordinate: Coordinate, ...held }),
  z.strictObject({ action: z.literal("right_click"), coordinate, ...held }),
  z.strictObject({ action: z.literal("middle_click"), coordinate, ...held }),
  z.strictObject({ action: z.literal("double_click"), coordinate, ...held }),
  z.strictObject({ action: z.literal("screenshot") }),
  z.strictObject({ action: z.literal("cursor_position") }),
] as const;
const second = [
  z.strictObject({ action: z.literal("left_mouse_down"), coordinate }),
  z.strictObject({ action: z.literal("left_mouse_up"), coordinate }),
  z.strictObject({ action: z.literal("scroll"), coordinate, scroll_direction: z.enum(["up", "down", "left", "right"]), scroll_amount: z.number().positive().max(200), ...held }),
  z.strictObject({ action: z.literal("hold_key"), text: z.string().min(1), duration: seconds }),
  z.strictObject({ action: z.literal("wait"), duration: seconds }),
  z.strictObject({ action: z.literal("triple_click"), coordinate, ...held }),
] as const;
const third = [z.strictObject({ action: z.literal("zoom"), region: z.tuple([z.number(), z.number(), z.number(), z.number()]) })] as const;

/** The actions of the newest version. */
const Input = z.discriminatedUnion("action", [...first, ...second, ...third]);
type Input = z.infer<typeof Input>;

/** What each version of the tool can be asked. */
export const VERSIONS = {
  computer_20241022: z.discriminatedUnion("action", [...first]),
  computer_20250124: z.discriminatedUnion("action", [...first, ...second]),
  computer_20251124: Input,
};

/** One call; several actions for keys with spaces between them, which xdotool presses one after the other. */
export function toActions(input: Input, locator: Locator): ActionInput[] {
  const at = "coordinate" in input && input.coordinate ? locator.point(...input.coordinate) : undefined;
  const held = heldKeys(input);
  switch (input.action) {
    case "key":
      return input.text.trim() === "" ? [{ type: "key", keys: ["space"] }] : input.text.trim().split(/\s+/).map((chord) => ({ type: "key", keys: [chord] }));
    case "type":
      return [{ type: "type", text: input.text }];
    case "mouse_move":
      return [{ type: "move", to: at!, held }];
    case "left_click":
      return [{ type: "click", at, held }];
    case "right_click":
      return [{ type: "click", at, button: "right", held }];
    case "middle_click":
      return [{ type: "click", at, button: "middle", held }];
    case "double_click":
      return [{ type: "click", at, count: 2, held }];
    case "triple_click":
      return [{ type: "click", at, count: 3, held }];
    case "left_click_drag":
      return [{ type: "drag", from: input.start_coordinate && locator.point(...input.start_coordinate), to: at!, held }];
    case "left_mouse_down":
      return [{ type: "mouse_down", at }];
    case "left_mouse_up":
      return [{ type: "mouse_up", at }];
    case "scroll":
      return [{ type: "scroll", at, ...scrolled(input.scroll_direction, input.scroll_amount), held }];
    case "hold_key":
      return [{ type: "hold_key", keys: [input.text], ms: input.duration * 1000 }];
    case "wait":
      return [{ type: "wait", ms: input.duration * 1000 }];
    case "screenshot":
    case "cursor_position":
      return [{ type: "screenshot" }];
    case "zoom":
      return [{ type: "zoom", region: locator.region(...input.region) }];
  }
}

function heldKeys(input: Input): string[] | undefined {
  if (input.action === "type" || input.action === "key" || input.action === "hold_key") return undefined;
  const keys = ("text" in input && input.text) || ("key" in input && input.key);
  return keys ? [keys] : undefined;
}

function scrolled(direction: "up" | "down" | "left" | "right", amount: number): { up: number } | { left: number } {
  switch (direction) {
    case "up":
      return { up: amount };
    case "down":
      return { up: -amount };
    case "left":
      return { left: amount };
    case "right":
      return { left: -amount };
  }
}
