import { DeskhandError, messageOf } from "../../core/errors.js";
import type { ModelReply } from "../model-client.js";
import { quote } from "./quote.js";

const OPEN = "<tool_call>";
const CLOSE = "</tool_call>";
const FUNCTION = "<function=";

export interface NamedCall {
  name: string;
  arguments: unknown;
  /** Set when every argument is text, because the call was written as XML. */
  asText?: boolean;
}

/**
 * The calls of a reply in order: the structured ones, or, from a server that does not parse tool calls, those in the text:
 * `<tool_call>{"name": …, "arguments": …}</tool_call>`, or `<function=NAME><parameter=KEY>value</parameter></function>` with or
 * without those tags around it.
 * @throws DeskhandError `model_output` when there is none or one of them cannot be read.
 */
export function readToolCalls(reply: ModelReply): NamedCall[] {
  if (reply.toolCalls.length > 0) {
    return reply.toolCalls.map((call) => ({ name: call.name, arguments: parseJson(call.arguments, reply) }));
  }
  const calls = textCalls(reply.text).map((body) => (body.startsWith(FUNCTION) ? readXml(body, reply) : toNamedCall(parseJson(body, reply))));
  if (calls.length === 0) throw new DeskhandError("model_output", `Expected a call but received ${whatCame(reply)}.`);
  return calls;
}

/** What the reply said beside its calls, trimmed. */
export function textBesideCalls(reply: ModelReply): string {
  const starts = [OPEN, FUNCTION].map((tag) => reply.text.indexOf(tag)).filter((start) => start >= 0);
  return reply.text.slice(0, Math.min(reply.text.length, ...starts)).trim();
}

/** Call bodies; the closing tag may be missing at the end, since some servers cut it off as a stop string. */
function textCalls(text: string): string[] {
  if (!text.includes(OPEN) && text.includes(FUNCTION)) {
    return text.split(FUNCTION).slice(1).map((part) => `${FUNCTION}${part}`.trim());
  }
  return text
    .split(OPEN)
    .slice(1)
    .map((part) => {
      const end = part.lastIndexOf(CLOSE);
      return (end < 0 ? part : part.slice(0, end)).trim();
    });
}

/** Templates put the value on lines of its own; further line feeds belong to it. */
function readXml(body: string, reply: ModelReply): NamedCall {
  const whole = /^<function=([^>\s]+)>([\s\S]*?)(?:<\/function>\s*)?$/.exec(body);
  const parameters: [string, string][] = [];
  const rest = whole?.[2]!.replace(/<parameter=([^>\s]+)>\n?([\s\S]*?)\n?<\/parameter>/g, (_, key: string, value: string) => {
    parameters.push([key, value]);
    return "";
  });
  if (!whole || rest!.trim() !== "") {
    throw new DeskhandError("model_output", `Expected a call of the form <function=computer_use><parameter=action>…</parameter></function> but received ${quote(body)}.${cutOff(reply)}`);
  }
  return { name: whole[1]!, arguments: Object.fromEntries(parameters), asText: true };
}

function toNamedCall(value: unknown): NamedCall {
  if (typeof value === "object" && value !== null && "name" in value && typeof value.name === "string" && "arguments" in value) {
    return { name: value.name, arguments: value.arguments };
  }
  throw new DeskhandError("model_output", `Expected a call of the form {"name": "computer_use", "arguments": {…}} but received ${quote(JSON.stringify(value))}.`);
}

function parseJson(text: string, reply: ModelReply): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DeskhandError("model_output", `Expected a call in valid JSON but received ${quote(text)} (${messageOf(cause)}).${cutOff(reply)}`, { cause });
  }
}

function cutOff(reply: ModelReply): string {
  return reply.finishReason === "length" ? " The reply was cut off at its longest allowed length." : "";
}

function whatCame(reply: ModelReply): string {
  if (reply.finishReason === "length") return `a reply that was cut off at its longest allowed length before any call (${quote(reply.text)})`;
  return reply.text.trim() === "" ? "an empty reply" : `only text: ${quote(reply.text)}`;
}
