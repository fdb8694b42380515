import { DeskhandError } from "../../core/errors.js";
import { withoutThinking, type ModelReply } from "../model-client.js";
import { readCall, type PythonCall } from "./python-literals.js";
import { quote } from "./quote.js";

export interface UiTarsReply {
  /** The model's words about its action; empty when there are none. */
  thought: string;
  /** At least one. */
  calls: PythonCall[];
}

/** `Action:` before a call, with an ordinary or a Chinese colon. */
const MARKER = /(^|\s)Action\s*[:：]\s*(?=[A-Za-z_]\w*\s*\()/g;
const CALL = /[A-Za-z_]\w*\s*\(/y;
/** What stands between two calls: blank space, and `Action:` once more. */
const BETWEEN = /\s*(?:Action\s*[:：]\s*)?/y;
/** Ends of a turn that servers leave in the text, and closing fences. */
const END = /^\s*(?:<\/Output>|<\|im_end\|>|<\|endoftext\|>|\[EOS\]|```)?\s*$/;

/**
 * `Thought: …` and `Action: name(argument='…')`, or several of them after each other. `Reflection:` and `Action_Summary:` may stand
 * before it instead; the summary is the thought then.
 * @throws DeskhandError `model_output`.
 */
export function readUiTars(reply: ModelReply): UiTarsReply {
  const text = withoutThinking(reply).replace(/<\|box_(?:start|end)\|>/g, "");
  const marker = MARKER.exec(text) ?? /^\s*(?=[A-Za-z_]\w*\s*\()/.exec(text);
  MARKER.lastIndex = 0;
  if (!marker) throw new DeskhandError("model_output", `Expected "Action: " and a call such as click(start_box='(x,y)') but received ${whatCame(reply)}.`);
  const calls: PythonCall[] = [];
  let at = marker.index + marker[0].length;
  while (startsCall(text, at)) {
    const { value, end } = readCall(text, at);
    calls.push(value);
    BETWEEN.lastIndex = end;
    at = end + BETWEEN.exec(text)![0].length;
  }
  const rest = text.slice(at);
  if (!END.test(rest)) throw new DeskhandError("model_output", `Expected nothing after the action but received ${quote(rest)}, so it is not clear what to do.`);
  return { thought: thoughtIn(text.slice(0, marker.index)), calls };
}

function startsCall(text: string, at: number): boolean {
  CALL.lastIndex = at;
  return CALL.test(text);
}

function thoughtIn(text: string): string {
  const tagged = /<Thought>([\s\S]*?)<\/Thought>/.exec(text)?.[1];
  const words = /Action_Summary\s*[:：]([\s\S]*)$/.exec(text)?.[1] ?? /Thought\s*[:：]([\s\S]*)$/.exec(text)?.[1] ?? tagged ?? text;
  return words.trim();
}

function whatCame(reply: ModelReply): string {
  if (reply.finishReason === "length") return `a reply that was cut off at its longest allowed length (${quote(reply.text)})`;
  return reply.text.trim() === "" ? "an empty reply" : quote(reply.text);
}
