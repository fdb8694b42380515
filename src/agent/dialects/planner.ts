import type { ChatCompletionFunctionTool } from "openai/resources/chat/completions";
import { z } from "zod";
import { DeskhandError } from "../../core/errors.js";
import { parseWith } from "../../core/json.js";
import { Action, MouseButton, type ActionInput, type Point } from "../actions.js";
import { describeActions } from "../describe.js";
import type { ModelReply } from "../model-client.js";
import { chatFunctions, renderChat } from "./chat-history.js";
import type { Dialect, Locate, ParsedAction, ParsedStep } from "./dialect.js";
import { chatLabel } from "./label-question.js";
import { RULES } from "./rules.js";
import { readToolCalls, textBesideCalls, type NamedCall } from "./tool-calls.js";

const target = z.string().min(1).describe("what to aim at, so that it can be told from everything else on the screen: its kind, its label, and where it is");
const hold_keys = z.array(z.string().min(1)).optional().describe("keys to hold meanwhile");
const FUNCTIONS = {
  click: z.strictObject({ target, button: MouseButton.optional(), clicks: z.number().int().min(1).max(3).optional(), hold_keys }).describe("Click something."),
  move: z.strictObject({ target }).describe("Put the mouse over something."),
  drag: z.strictObject({ from: target, to: target, hold_keys }).describe("Drag something to a place."),
  scroll: z.strictObject({ target: target.optional(), direction: z.enum(["up", "down", "left", "right"]), clicks: z.number().min(0.1).max(200), hold_keys }).describe("Turn the mouse wheel."),
  type: z.strictObject({ text: z.string() }).describe("Enter text at the keyboard focus; a line feed is Enter."),
  key: z.strictObject({ keys: z.array(z.string().min(1)).min(1) }).describe("Press keys together, for example ctrl and s."),
  wait: z.strictObject({ seconds: z.number().min(0).max(60) }).describe("Wait for a program."),
  ask: z.strictObject({ question: z.string() }).describe("Ask the user, only when you cannot go on otherwise."),
  answer: z.strictObject({ text: z.string() }).describe("Give the answer when the task is a question."),
  finish: z.strictObject({ success: z.boolean(), message: z.string().optional() }).describe("End the task: it is done, or it cannot be done."),
} as const;
type Name = keyof typeof FUNCTIONS;

const TOOLS = Object.entries(FUNCTIONS).map(([name, schema]): ChatCompletionFunctionTool => {
  const { $schema: _schema, description, ...parameters } = z.toJSONSchema(schema, { io: "input" });
  return { type: "function", function: { name, description, parameters } };
});

const SYSTEM_PROMPT = [
  "You operate a computer for its user, by calling functions. You see the screen in a new screenshot after every call.",
  "Places are given in words: another model finds them on the screenshot. Describe each so that there can be no doubt.",
  ...RULES,
].join("\n");

/** Any model that can call functions: it says in words what to do and where, and a grounder finds the places. */
export const planner: Dialect = {
  name: "planner",
  matches: () => false,
  space: { kind: "relative", max: 1000 },
  pictureSize: { multiple: 32, minPixels: 1, maxPixels: 1920 * 1088 },
  display: { width: 1280, height: 800 },
  sampling: { temperature: 0, max_tokens: 4096 },
  acceptsNotices: true,
  ownFunctions: Object.keys(FUNCTIONS),
  zoomedSpace: "picture",
  label: chatLabel,
  render(conversation) {
    const messages = renderChat(conversation, {
      system: SYSTEM_PROMPT,
      opening: `Task: ${conversation.task}`,
      next: "The screen now:",
      turnsBetweenCompactions: 8,
      tryAgain: "Look at the screenshot again and call a function.",
    });
    return { api: "chat", messages, tools: [...TOOLS, ...chatFunctions(conversation)] };
  },
  parse() {
    throw new DeskhandError("invalid_argument", "Expected a second model for a planner, to find places on the screen, but there is none; name it with --grounder.", { param: "grounder" });
  },
  ground,
};

async function ground(reply: ModelReply, locate: Locate): Promise<ParsedStep> {
  // All are checked before the grounder is asked about the first.
  const plans = readToolCalls(reply).map(toPlan);
  const actions: ParsedAction[] = [];
  for (const plan of plans) {
    const points: ParsedAction["points"] = [];
    const find = async (words: string): Promise<Point> => {
      const trace = await locate(words);
      points.push(trace);
      return trace.os;
    };
    actions.push({ action: Action.parse(await plan(find)), points });
  }
  return { summary: textBesideCalls(reply) || describeActions(actions), actions };
}

type Find = (words: string) => Promise<Point>;

function toPlan(call: NamedCall): (find: Find) => Promise<ActionInput> {
  if (!Object.hasOwn(FUNCTIONS, call.name)) throw new DeskhandError("model_output", `Expected one of the functions ${Object.keys(FUNCTIONS).join(", ")} but received ${JSON.stringify(call.name)}.`);
  const name = call.name as Name;
  const read = <N extends Name>(of: N): z.infer<(typeof FUNCTIONS)[N]> => parseWith(FUNCTIONS[of] as unknown as z.ZodType<z.infer<(typeof FUNCTIONS)[N]>>, call.arguments, `The call ${of}(${JSON.stringify(call.arguments)})`, "model_output");
  switch (name) {
    case "click": {
      const { target, button, clicks, hold_keys } = read(name);
      return async (find) => ({ type: "click", at: await find(target), button, count: clicks, held: held(hold_keys) });
    }
    case "move": {
      const { target } = read(name);
      return async (find) => ({ type: "move", to: await find(target) });
    }
    case "drag": {
      const { from, to, hold_keys } = read(name);
      return async (find) => ({ type: "drag", from: await find(from), to: await find(to), held: held(hold_keys) });
    }
    case "scroll": {
      const { target, direction, clicks, hold_keys } = read(name);
      const amount = direction === "up" || direction === "left" ? clicks : -clicks;
      const turned = direction === "up" || direction === "down" ? { up: amount } : { left: amount };
      return async (find) => ({ type: "scroll", at: target === undefined ? undefined : await find(target), ...turned, held: held(hold_keys) });
    }
    case "type":
      return fixed({ type: "type", text: read(name).text });
    case "key":
      return fixed({ type: "key", keys: read(name).keys });
    case "wait":
      return fixed({ type: "wait", ms: read(name).seconds * 1000 });
    case "ask":
      return fixed({ type: "ask", question: read(name).question });
    case "answer":
      return fixed({ type: "answer", text: read(name).text });
    case "finish": {
      const { success, message } = read(name);
      return fixed({ type: "terminate", success, message: message || undefined });
    }
  }
}

function fixed(action: ActionInput): () => Promise<ActionInput> {
  return async () => action;
}

function held(keys: string[] | undefined): string[] | undefined {
  return keys?.length ? keys : undefined;
}
