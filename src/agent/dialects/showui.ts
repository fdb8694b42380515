import { z } from "zod";
import { DeskhandError } from "../../core/errors.js";
import { parseWith } from "../../core/json.js";
import { Action, type ActionInput } from "../actions.js";
import type { CoordinateChain } from "../coordinates.js";
import { describeActions } from "../describe.js";
import type { ModelReply } from "../model-client.js";
import { renderChat } from "./chat-history.js";
import type { Dialect, ParsedAction, ParsedStep } from "./dialect.js";
import { Locator } from "./locator.js";
import { readLiteral } from "./python-literals.js";
import { quote } from "./quote.js";
import { RULES } from "./rules.js";

const Position = z.tuple([z.number(), z.number()]);
const nothing = z.union([z.null(), z.literal("")]).optional();
const Step = z.discriminatedUnion("action", [
  z.strictObject({ action: z.literal("CLICK"), value: nothing, position: Position }),
  z.strictObject({ action: z.literal("DOUBLE_CLICK"), value: nothing, position: Position }),
  z.strictObject({ action: z.literal("RIGHT_CLICK"), value: nothing, position: Position }),
  z.strictObject({ action: z.literal("HOVER"), value: nothing, position: Position }),
  z.strictObject({ action: z.literal("DRAG"), value: nothing, position: z.tuple([Position, Position]) }),
  z.strictObject({ action: z.literal("INPUT"), value: z.string(), position: Position.nullish() }),
  z.strictObject({ action: z.literal("ENTER"), value: nothing, position: nothing }),
  z.strictObject({ action: z.literal("ESC"), value: nothing, position: nothing }),
  z.strictObject({ action: z.literal("HOTKEY"), value: z.string().min(1), position: nothing }),
  z.strictObject({ action: z.literal("SCROLL"), value: z.enum(["up", "down", "left", "right"]), position: Position.nullish() }),
  z.strictObject({ action: z.literal("ANSWER"), value: z.string(), position: nothing }),
  z.strictObject({ action: z.literal("FINISH"), value: z.string().nullish(), position: nothing }),
]);
type Step = z.infer<typeof Step>;

const SCROLL_CLICKS = 5;

const INSTRUCTION = [
  "You operate a computer for its user. Reply with the next action alone, as a dictionary: {'action': 'ACTION', 'value': 'text or None', 'position': [x, y] or None}.",
  "position is relative to the screenshot: x and y from 0 to 1.",
  "CLICK, DOUBLE_CLICK, RIGHT_CLICK, HOVER: at position. DRAG: position is [[x1, y1], [x2, y2]]. INPUT: enters value, at position if given. ENTER, ESC: the keys. HOTKEY: value is e.g. ctrl+s.",
  "SCROLL: value is up, down, left or right. ANSWER: value is the answer to a question. FINISH: the task is done.",
  ...RULES,
].join("\n");

/** ShowUI and models like it: one dictionary an action, as JSON or as Python writes it, with positions from 0 to 1. */
export const showUi: Dialect = {
  name: "showui",
  matches: (modelId) => /show-?ui|os-?atlas/i.test(modelId),
  space: { kind: "relative", max: 1 },
  pictureSize: { multiple: 28, minPixels: 256 * 28 * 28, maxPixels: 1344 * 28 * 28 },
  display: { width: 1280, height: 720 },
  sampling: { temperature: 0, repetition_penalty: 1, max_tokens: 512 },
  acceptsNotices: true,
  zoomedSpace: "picture",
  render(conversation) {
    const messages = renderChat(conversation, {
      opening: `${INSTRUCTION}\n\nTask: ${conversation.task}`,
      next: "The screen now:",
      turnsBetweenCompactions: 2,
      tryAgain: "Look at the screenshot again and reply with one dictionary.",
    });
    return { api: "chat", messages, tools: [] };
  },
  parse,
};

function parse(reply: ModelReply, chain: CoordinateChain): ParsedStep {
  const actions = readSteps(reply.text).flatMap((step) => toParsedActions(step, chain));
  return { summary: describeActions(actions), actions };
}

/** Dictionaries, alone, after each other, or in a list; a fence around them is taken off. */
function readSteps(text: string): Step[] {
  const body = text.replace(/^\s*```\w*\n([\s\S]*?)\n?```\s*$/, "$1").trim();
  const start = body.search(/[{[]/);
  if (start < 0) throw new DeskhandError("model_output", `Expected a dictionary such as {'action': 'CLICK', 'value': None, 'position': [0.5, 0.5]} but received ${body === "" ? "an empty reply" : quote(body)}.`);
  const steps: unknown[] = [];
  for (let at = start; at < body.length; ) {
    const { value, end } = readLiteral(body, at);
    steps.push(...(Array.isArray(value) ? value : [value]));
    at = end + /^[\s,]*/.exec(body.slice(end))![0].length;
  }
  if (steps.length === 0) throw new DeskhandError("model_output", "Expected a dictionary but received an empty list.");
  return steps.map((step) => parseWith(Step, upperCased(step), `The action ${JSON.stringify(step)}`, "model_output"));
}

function upperCased(step: unknown): unknown {
  return typeof step === "object" && step !== null && "action" in step && typeof step.action === "string" ? { ...step, action: step.action.toUpperCase().replaceAll(" ", "_") } : step;
}

function toParsedActions(step: Step, chain: CoordinateChain): ParsedAction[] {
  const locator = new Locator(chain);
  return toActions(step, locator).map((input, index) => ({ action: Action.parse(input), points: index === 0 ? locator.points : [] }));
}

function toActions(step: Step, locator: Locator): ActionInput[] {
  switch (step.action) {
    case "CLICK":
      return [{ type: "click", at: locator.point(...step.position) }];
    case "DOUBLE_CLICK":
      return [{ type: "click", at: locator.point(...step.position), count: 2 }];
    case "RIGHT_CLICK":
      return [{ type: "click", at: locator.point(...step.position), button: "right" }];
    case "HOVER":
      return [{ type: "move", to: locator.point(...step.position) }];
    case "DRAG":
      return [{ type: "drag", from: locator.point(...step.position[0]), to: locator.point(...step.position[1]) }];
    case "INPUT":
      return [...(step.position ? [{ type: "click" as const, at: locator.point(...step.position) }] : []), { type: "type", text: step.value }];
    case "ENTER":
      return [{ type: "key", keys: ["enter"] }];
    case "ESC":
      return [{ type: "key", keys: ["esc"] }];
    case "HOTKEY":
      return [{ type: "key", keys: [step.value] }];
    case "SCROLL": {
      const amount = step.value === "up" || step.value === "left" ? SCROLL_CLICKS : -SCROLL_CLICKS;
      const at = step.position ? locator.point(...step.position) : undefined;
      return [{ type: "scroll", at, ...(step.value === "up" || step.value === "down" ? { up: amount } : { left: amount }) }];
    }
    case "ANSWER":
      return [{ type: "answer", text: step.value }];
    case "FINISH":
      return [{ type: "terminate", success: true, message: step.value || undefined }];
  }
}
