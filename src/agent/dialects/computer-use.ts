import type { ChatCompletionFunctionTool } from "openai/resources/chat/completions";
import { z } from "zod";
import { DeskhandError } from "../../core/errors.js";
import { parseWith } from "../../core/json.js";
import { Action, type ActionInput, type Point } from "../actions.js";
import { modelToScreen, type CoordinateChain, type PointTrace } from "../coordinates.js";
import type { ParsedAction } from "./dialect.js";
import type { NamedCall } from "./tool-calls.js";

/** The function Qwen's vision models are trained to operate a computer with, and its translation to canonical actions. */

const TOOL_NAME = "computer_use";

/** How far one wheel click scrolls: about what browsers and toolkits move by default. */
const PIXELS_PER_WHEEL_CLICK = 100;

const MODIFIERS = new Set(["ctrl", "control", "shift", "alt", "option", "cmd", "command", "meta", "super", "win"]);

const Coordinate = z.tuple([z.number(), z.number()]);
const Pixels = z
  .number()
  .min(-20_000)
  .max(20_000)
  .refine((pixels) => pixels !== 0, { error: "expected a number other than 0" });
/** Models also write a chord as one string, "ctrl+s". */
const Keys = z.preprocess((keys) => (typeof keys === "string" ? [keys] : keys), z.array(z.string().min(1)).min(1));
const clickArguments = { coordinate: Coordinate.optional(), text: z.string().optional() };

const Arguments = z.discriminatedUnion("action", [
  z.object({ action: z.literal("key"), keys: Keys }),
  z.object({ action: z.literal("type"), text: z.string() }),
  z.object({ action: z.literal("mouse_move"), coordinate: Coordinate }),
  z.object({ action: z.literal("left_click"), ...clickArguments }),
  z.object({ action: z.literal("right_click"), ...clickArguments }),
  z.object({ action: z.literal("middle_click"), ...clickArguments }),
  z.object({ action: z.literal("double_click"), ...clickArguments }),
  z.object({ action: z.literal("triple_click"), ...clickArguments }),
  z.object({ action: z.literal("left_click_drag"), coordinate: Coordinate }),
  z.object({ action: z.literal("scroll"), ...clickArguments, pixels: Pixels }),
  z.object({ action: z.literal("hscroll"), ...clickArguments, pixels: Pixels }),
  z.object({ action: z.literal("wait"), time: z.number().min(0).max(60) }),
  z.object({ action: z.literal("answer"), text: z.string() }),
  z.object({ action: z.literal("terminate"), status: z.enum(["success", "failure"]) }),
]);
type Arguments = z.infer<typeof Arguments>;

/**
 * One call as a canonical action on this screen.
 * @throws DeskhandError `model_output` for another function, bad arguments, or a coordinate outside the screenshot.
 */
export function toParsedAction(call: NamedCall, chain: CoordinateChain): ParsedAction {
  if (call.name !== TOOL_NAME) {
    throw new DeskhandError("model_output", `Expected a call of ${TOOL_NAME} but received a call of ${JSON.stringify(call.name)}, which does not exist.`);
  }
  const args = parseWith(Arguments, call.arguments, `The call ${TOOL_NAME}(${JSON.stringify(call.arguments)})`, "model_output");
  refuseHeldModifiers(args);
  const points: PointTrace[] = [];
  const locate = (coordinate: [number, number]): Point => {
    const trace = modelToScreen(chain, { x: coordinate[0], y: coordinate[1] });
    points.push(trace);
    return trace.os;
  };
  return { action: Action.parse(toAction(args, locate)), points };
}

function toAction(args: Arguments, locate: (coordinate: [number, number]) => Point): ActionInput {
  const locateIfGiven = (coordinate: [number, number] | undefined) => coordinate && locate(coordinate);
  switch (args.action) {
    case "key":
      return { type: "key", keys: args.keys };
    case "type":
      return { type: "type", text: args.text };
    case "mouse_move":
      return { type: "move", to: locate(args.coordinate) };
    case "left_click":
      return { type: "click", at: locateIfGiven(args.coordinate) };
    case "right_click":
      return { type: "click", at: locateIfGiven(args.coordinate), button: "right" };
    case "middle_click":
      return { type: "click", at: locateIfGiven(args.coordinate), button: "middle" };
    case "double_click":
      return { type: "click", at: locateIfGiven(args.coordinate), count: 2 };
    case "triple_click":
      return { type: "click", at: locateIfGiven(args.coordinate), count: 3 };
    case "left_click_drag":
      return { type: "drag", to: locate(args.coordinate) };
    case "scroll":
      return { type: "scroll", at: locateIfGiven(args.coordinate), up: wheelClicks(args.pixels) };
    case "hscroll":
      return { type: "scroll", at: locateIfGiven(args.coordinate), left: -wheelClicks(args.pixels) };
    case "wait":
      return { type: "wait", ms: args.time * 1000 };
    case "answer":
      return { type: "answer", text: args.text };
    case "terminate":
      return { type: "terminate", success: args.status === "success" };
  }
}

/** At least one click in the direction asked for. */
function wheelClicks(pixels: number): number {
  return Math.sign(pixels) * Math.max(1, Math.round(Math.abs(pixels) / PIXELS_PER_WHEEL_CLICK));
}

/** Newer prompts hold modifiers through `text`. A plain click instead of a Ctrl-click would be silently wrong. */
function refuseHeldModifiers(args: Arguments): void {
  if (args.action === "type" || args.action === "answer" || !("text" in args) || !args.text) return;
  if (args.text.split("+").every((key) => MODIFIERS.has(key.trim().toLowerCase()))) {
    throw new DeskhandError("model_output", `Expected a ${args.action} without held keys but received "text": ${JSON.stringify(args.text)}, which is not supported; do it another way.`);
  }
}

/** The function as it is offered to the model. */
export const COMPUTER_USE_TOOL: ChatCompletionFunctionTool = {
  type: "function",
  function: {
    name: TOOL_NAME,
    description:
      "Operates the mouse and keyboard of the computer whose screen you see. The screen is 1000 wide and 1000 high: [0, 0] is its top left " +
      "corner, [1000, 1000] its bottom right. Aim at the middle of buttons, fields and links. Programs may need a moment: wait and look " +
      "at the next screenshot if a window has not appeared yet.",
    parameters: {
      type: "object",
      required: ["action"],
      properties: {
        action: {
          type: "string",
          enum: Arguments.options.map((option) => option.shape.action.value),
          description: [
            "What to do.",
            "key: press the keys in `keys` together, then let go.",
            "type: enter `text` at the keyboard focus.",
            "mouse_move: put the cursor at `coordinate`.",
            "left_click, right_click, middle_click, double_click, triple_click: click at `coordinate`, or at the cursor when it is left out.",
            "left_click_drag: hold the left button from the cursor to `coordinate`.",
            "scroll: turn the wheel by `pixels`. hscroll: the same sideways.",
            "wait: do nothing for `time` seconds.",
            "answer: give the user the answer in `text`.",
            "terminate: end the task with `status`.",
          ].join("\n"),
        },
        keys: { type: "array", items: { type: "string" }, description: "Keys to press together, for key. Example: [\"ctrl\", \"s\"]." },
        text: { type: "string", description: "Text to enter, for type; the answer, for answer." },
        coordinate: {
          type: "array",
          items: { type: "integer" },
          minItems: 2,
          maxItems: 2,
          description: "[x, y] on the screen, for mouse_move, left_click_drag, the clicks and scrolling.",
        },
        pixels: { type: "number", description: "How far to scroll. scroll: up when positive, down when negative. hscroll: right when positive, left when negative." },
        time: { type: "number", description: "Seconds, for wait." },
        status: { type: "string", enum: ["success", "failure"], description: "How the task ended, for terminate." },
      },
    },
  },
};
