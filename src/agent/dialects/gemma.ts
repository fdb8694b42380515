import { z } from "zod";
import { DeskhandError } from "../../core/errors.js";
import { parseWith } from "../../core/json.js";
import { Action, type ActionInput } from "../actions.js";
import type { CoordinateChain } from "../coordinates.js";
import { describeActions } from "../describe.js";
import type { ModelReply } from "../model-client.js";
import { renderChat } from "./chat-history.js";
import type { Dialect, ParsedAction, ParsedStep } from "./dialect.js";
import { chatLabel } from "./label-question.js";
import { Locator } from "./locator.js";
import { readCall, type PythonCall } from "./python-literals.js";
import { quote } from "./quote.js";
import { RULES } from "./rules.js";

/** The functions, in the order of their parameters, and how each reads as an action. */
const place = { x: z.number(), y: z.number() };
const optionalPlace = { x: z.number().optional(), y: z.number().optional() };
const FUNCTIONS = {
  click: z.strictObject({ ...place, button: z.enum(["left", "right", "middle"]).optional(), clicks: z.number().int().min(1).max(3).optional(), hold_keys: z.array(z.string()).optional() }),
  move_mouse: z.strictObject(place),
  drag: z.strictObject({ from_x: z.number(), from_y: z.number(), to_x: z.number(), to_y: z.number() }),
  scroll: z.strictObject({ direction: z.enum(["up", "down", "left", "right"]), clicks: z.number().min(0.1).max(200), ...optionalPlace }).refine(({ x, y }) => (x === undefined) === (y === undefined), { error: "expected both x and y, or neither" }),
  type_text: z.strictObject({ text: z.string() }),
  press_keys: z.strictObject({ keys: z.array(z.string()).min(1) }),
  wait: z.strictObject({ seconds: z.number().min(0).max(60) }),
  zoom: z.strictObject({ left: z.number(), top: z.number(), right: z.number(), bottom: z.number() }),
  ask_user: z.strictObject({ question: z.string() }),
  answer: z.strictObject({ text: z.string() }),
  finish: z.strictObject({ success: z.boolean(), message: z.string().optional() }),
} as const;
type Name = keyof typeof FUNCTIONS;

const INSTRUCTION = [
  "You operate a computer for its user. You see the screen in a new screenshot after every action. The screen is 1000 wide and 1000 high: (0, 0) is its top left corner, (1000, 1000) its bottom right.",
  "You have these Python functions:",
  "```python",
  'def click(x: int, y: int, button: str = "left", clicks: int = 1, hold_keys: list[str] = []): """Clicks with button left, right or middle, once, twice or three times, while hold_keys are held."""',
  'def move_mouse(x: int, y: int): """Puts the cursor there."""',
  'def drag(from_x: int, from_y: int, to_x: int, to_y: int): """Drags with the left button."""',
  'def scroll(direction: str, clicks: int, x: int, y: int): """Turns the wheel up, down, left or right."""',
  'def type_text(text: str): """Enters text at the keyboard focus; a line feed is Enter."""',
  'def press_keys(keys: list[str]): """Presses keys together, e.g. ["ctrl", "s"]."""',
  'def wait(seconds: float): """Does nothing."""',
  'def zoom(left: int, top: int, right: int, bottom: int): """Shows this part of the screen enlarged on the next picture."""',
  'def ask_user(question: str): """Asks the user, only when you cannot go on otherwise."""',
  'def answer(text: str): """Gives the answer when the task is a question."""',
  'def finish(success: bool, message: str = ""): """Ends the task: done, or impossible."""',
  "```",
  "Reply with one short sentence about what you do next, and then with one call in a block that begins with ```tool_code and ends with ```.",
  ...RULES,
].join("\n");

/** Gemma 3 has no format of its own for calls: it is told functions as Python signatures, and calls them in `tool_code` blocks. */
export const gemma: Dialect = {
  name: "gemma3",
  matches: (modelId) => /gemma-?3/i.test(modelId),
  space: { kind: "relative", max: 1000 },
  // The encoder takes 896 × 896 whatever comes; more pixels than these are lost there.
  pictureSize: { multiple: 1, minPixels: 1, maxPixels: 1280 * 800 },
  display: { width: 1024, height: 768 },
  sampling: { temperature: 0, repetition_penalty: 1, max_tokens: 1024 },
  acceptsNotices: true,
  zoomedSpace: "picture",
  label: chatLabel,
  render(conversation) {
    const messages = renderChat(conversation, {
      // Its template has no system role.
      opening: `${INSTRUCTION}\n\nTask: ${conversation.task}`,
      next: "```tool_output\nDone.\n```\nThe screen now:",
      turnsBetweenCompactions: 4,
      tryAgain: "Look at the screenshot again and reply with one call in a tool_code block.",
    });
    return { api: "chat", messages, tools: [] };
  },
  parse,
};

function parse(reply: ModelReply, chain: CoordinateChain): ParsedStep {
  const block = /```(?:tool_code|python)\s*\n([\s\S]*?)(?:```|$)/.exec(reply.text);
  if (!block || block[1]!.trim() === "") {
    throw new DeskhandError("model_output", `Expected a call in a block that begins with \`\`\`tool_code but received ${reply.text.trim() === "" ? "an empty reply" : quote(reply.text)}.`);
  }
  const actions = readCalls(block[1]!).map((call) => toParsedAction(call, chain));
  const said = reply.text.slice(0, block.index).trim();
  return { summary: said || describeActions(actions), actions };
}

/** One call a line; `print(…)` around it, which the family writes in its own examples, says nothing more. */
function readCalls(code: string): PythonCall[] {
  const calls: PythonCall[] = [];
  const skip = /(?:\s|;|#.*)*/y;
  for (let at = 0; ; ) {
    skip.lastIndex = at;
    at += skip.exec(code)![0].length;
    if (at >= code.length) return calls;
    const printed = /^print\s*\(\s*(?=[A-Za-z_][\w.]*\s*\()/.exec(code.slice(at));
    const { value, end } = readCall(code, at + (printed?.[0].length ?? 0));
    calls.push(value);
    at = end;
    if (printed) at += /^\s*\)?/.exec(code.slice(at))![0].length;
  }
}

function toParsedAction(call: PythonCall, chain: CoordinateChain): ParsedAction {
  if (!Object.hasOwn(FUNCTIONS, call.name)) throw new DeskhandError("model_output", `Expected one of the functions ${Object.keys(FUNCTIONS).join(", ")} but received ${call.name}(…).`);
  const name = call.name as Name;
  const parameters = Object.keys(FUNCTIONS[name].shape);
  if (call.positional.length > parameters.length) throw new DeskhandError("model_output", `Expected at most ${parameters.length} arguments for ${name} but received ${call.positional.length}.`);
  const positional = Object.fromEntries(call.positional.map((value, index) => [parameters[index]!, value]));
  const twice = Object.keys(positional).find((key) => key in call.named);
  if (twice !== undefined) throw new DeskhandError("model_output", `Expected one ${twice} in the call of ${name} but received two.`);
  const locator = new Locator(chain);
  return { action: Action.parse(toAction(name, { ...positional, ...call.named }, locator)), points: locator.points };
}

function toAction(name: Name, given: object, locator: Locator): ActionInput {
  const read = <N extends Name>(of: N): z.infer<(typeof FUNCTIONS)[N]> => parseWith(FUNCTIONS[of] as unknown as z.ZodType<z.infer<(typeof FUNCTIONS)[N]>>, given, `The call ${of}(${JSON.stringify(given)})`, "model_output");
  switch (name) {
    case "click": {
      const { x, y, button, clicks, hold_keys: held } = read(name);
      return { type: "click", at: locator.point(x, y), button, count: clicks, held: held?.length ? held : undefined };
    }
    case "move_mouse": {
      const { x, y } = read(name);
      return { type: "move", to: locator.point(x, y) };
    }
    case "drag": {
      const { from_x, from_y, to_x, to_y } = read(name);
      return { type: "drag", from: locator.point(from_x, from_y), to: locator.point(to_x, to_y) };
    }
    case "scroll": {
      const { direction, clicks, x, y } = read(name);
      const amount = direction === "up" || direction === "left" ? clicks : -clicks;
      const at = x === undefined || y === undefined ? undefined : locator.point(x, y);
      return { type: "scroll", at, ...(direction === "up" || direction === "down" ? { up: amount } : { left: amount }) };
    }
    case "type_text":
      return { type: "type", text: read(name).text };
    case "press_keys":
      return { type: "key", keys: read(name).keys };
    case "wait":
      return { type: "wait", ms: read(name).seconds * 1000 };
    case "zoom": {
      const { left, top, right, bottom } = read(name);
      return { type: "zoom", region: locator.region(left, top, right, bottom) };
    }
    case "ask_user":
      return { type: "ask", question: read(name).question };
    case "answer":
      return { type: "answer", text: read(name).text };
    case "finish": {
      const { success, message } = read(name);
      return { type: "terminate", success, message: message || undefined };
    }
  }
}
