import type { ChatCompletionFunctionTool } from "openai/resources/chat/completions";
import { z } from "zod";
import { DeskhandError } from "../../core/errors.js";
import { parseWith } from "../../core/json.js";
import { Action, type ActionInput } from "../actions.js";
import type { CoordinateChain, Size } from "../coordinates.js";
import type { ParsedAction } from "./dialect.js";
import { Locator } from "./locator.js";
import { readLiteral } from "./python-literals.js";
import type { NamedCall } from "./tool-calls.js";
import { wheelClicks } from "./wheel-clicks.js";

/** The function Qwen's vision models are trained to operate a computer with, and its translation to canonical actions. */

const TOOL_NAME = "computer_use";

/** Arguments that are more than text; in a call that is written as XML everything is text at first. */
const STRUCTURED = new Set(["keys", "coordinate", "region", "pixels", "time"]);

const MODIFIERS = new Set(["ctrl", "control", "shift", "alt", "option", "cmd", "command", "meta", "super", "win"]);

const Coordinate = z.tuple([z.number(), z.number()]);
const Pixels = z
  .number()
  .min(-20_000)
  .max(20_000)
  .refine((pixels) => pixels !== 0, { error: "expected a number other than 0" });
/** Models also write a chord as one string, "ctrl+s". */
const Keys = z.preprocess((keys) => (typeof keys === "string" ? [keys] : keys), z.array(z.string().min(1)).min(1));
/** What models write for an argument that they leave out. */
const withoutNulls = (given: unknown): unknown => (typeof given === "object" && given !== null && !Array.isArray(given) ? Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null)) : given);
/** `text` beside a place: keys to hold, or else words about the place. */
const clickArguments = { coordinate: Coordinate.optional(), text: z.string().optional() };

/** Strict: an argument that an action does not have would be left out silently. */
const Arguments = z.discriminatedUnion("action", [
  z.strictObject({ action: z.literal("key"), keys: Keys }),
  z.strictObject({ action: z.literal("type"), text: z.string() }),
  z.strictObject({ action: z.literal("mouse_move"), coordinate: Coordinate, text: z.string().optional() }),
  z.strictObject({ action: z.literal("left_click"), ...clickArguments }),
  z.strictObject({ action: z.literal("right_click"), ...clickArguments }),
  z.strictObject({ action: z.literal("middle_click"), ...clickArguments }),
  z.strictObject({ action: z.literal("double_click"), ...clickArguments }),
  z.strictObject({ action: z.literal("triple_click"), ...clickArguments }),
  z.strictObject({ action: z.literal("left_click_drag"), coordinate: Coordinate, text: z.string().optional() }),
  z.strictObject({ action: z.literal("scroll"), ...clickArguments, pixels: Pixels }),
  z.strictObject({ action: z.literal("hscroll"), ...clickArguments, pixels: Pixels }),
  z.strictObject({ action: z.literal("wait"), time: z.number().min(0).max(60) }),
  z.strictObject({ action: z.literal("zoom"), region: z.tuple([z.number(), z.number(), z.number(), z.number()]) }),
  z.strictObject({ action: z.literal("answer"), text: z.string() }),
  z.strictObject({ action: z.literal("terminate"), status: z.enum(["success", "failure"]) }),
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
  const given = call.asText ? structured(call.arguments) : call.arguments;
  const args = parseWith(Arguments, withoutNulls(given), `The call ${TOOL_NAME}(${JSON.stringify(call.arguments)})`, "model_output");
  const locator = new Locator(chain);
  return { action: Action.parse(toAction(args, locator)), points: locator.points };
}

function toAction(args: Arguments, locator: Locator): ActionInput {
  const at = "coordinate" in args && args.coordinate ? locator.point(...args.coordinate) : undefined;
  const held = heldKeys(args);
  switch (args.action) {
    case "key":
      return { type: "key", keys: args.keys };
    case "type":
      return { type: "type", text: args.text };
    case "mouse_move":
      return { type: "move", to: at!, held };
    case "left_click":
      return { type: "click", at, held };
    case "right_click":
      return { type: "click", at, button: "right", held };
    case "middle_click":
      return { type: "click", at, button: "middle", held };
    case "double_click":
      return { type: "click", at, count: 2, held };
    case "triple_click":
      return { type: "click", at, count: 3, held };
    case "left_click_drag":
      return { type: "drag", to: at!, held };
    case "scroll":
      return { type: "scroll", at, up: wheelClicks(args.pixels), held };
    case "hscroll":
      return { type: "scroll", at, left: -wheelClicks(args.pixels), held };
    case "wait":
      return { type: "wait", ms: args.time * 1000 };
    case "zoom":
      return { type: "zoom", region: locator.region(...args.region) };
    case "answer":
      return { type: "answer", text: args.text };
    case "terminate":
      return { type: "terminate", success: args.status === "success" };
  }
}

/** A modifier, or a chord with one, whatever its other keys: those that do not exist are refused later. Any other text beside a place describes it. */
function heldKeys(args: Arguments): string[] | undefined {
  if (args.action === "type" || args.action === "answer" || !("text" in args) || !args.text) return undefined;
  const keys = args.text.split("+").map((key) => key.trim());
  return keys.some((key) => MODIFIERS.has(key.toLowerCase())) ? keys : undefined;
}

/** Values as JSON, or as Python writes them; what is neither stays text. */
function structured(given: unknown): unknown {
  const read = ([key, value]: [string, unknown]): [string, unknown] => {
    if (!STRUCTURED.has(key) || typeof value !== "string") return [key, value];
    try {
      const literal = readLiteral(value, 0);
      return [key, value.slice(literal.end).trim() === "" ? literal.value : value];
    } catch {
      return [key, value];
    }
  };
  return Object.fromEntries(Object.entries(given as object).map(read));
}

/** The function as it is offered to a model that counts the screen as so large. */
export function computerUseTool({ width, height }: Size): ChatCompletionFunctionTool {
  return {
    type: "function",
    function: {
      name: TOOL_NAME,
      description:
        `Operates the mouse and keyboard of the computer whose screen you see. The screen is ${width} wide and ${height} high: [0, 0] is its top left ` +
        `corner, [${width}, ${height}] its bottom right. ` +
        "Aim at the middle of buttons, fields and links. Programs may need a moment: wait and look " +
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
              "zoom: see the part of the screen in `region` enlarged on the next picture.",
              "answer: give the user the answer in `text`.",
              "terminate: end the task with `status`.",
            ].join("\n"),
          },
          keys: { type: "array", items: { type: "string" }, description: "Keys to press together, for key. Example: [\"ctrl\", \"s\"]." },
          text: { type: "string", description: "Text to enter, for type; the answer, for answer; modifier keys to hold, such as \"ctrl+shift\", for clicks, scrolling and dragging." },
          coordinate: {
            type: "array",
            items: { type: "integer" },
            minItems: 2,
            maxItems: 2,
            description: "[x, y] on the screen, for mouse_move, left_click_drag, the clicks and scrolling.",
          },
          region: { type: "array", items: { type: "integer" }, minItems: 4, maxItems: 4, description: "[left, top, right, bottom], for zoom." },
          pixels: { type: "number", description: "How far to scroll. scroll: up when positive, down when negative. hscroll: right when positive, left when negative." },
          time: { type: "number", description: "Seconds, for wait." },
          status: { type: "string", enum: ["success", "failure"], description: "How the task ended, for terminate." },
        },
      },
    },
  };
}
