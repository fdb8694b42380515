import { DeskhandError, messageOf } from "../../core/errors.js";
import type { ModelReply } from "../model-client.js";

const OPEN = "<tool_call>";
const CLOSE = "</tool_call>";

export interface NamedCall {
  name: string;
  arguments: unknown;
}

/**
 * The calls of a reply in order: the structured ones, or, from a server that does not parse tool calls,
 * `<tool_call>{"name": …, "arguments": …}</tool_call>` in the text.
 * @throws DeskhandError `model_output` when there is none or one of them is not JSON.
 */
export function readToolCalls(reply: ModelReply): NamedCall[] {
  if (reply.toolCalls.length > 0) {
    return reply.toolCalls.map((call) => ({ name: call.name, arguments: parseJson(call.arguments, reply) }));
  }
  const calls = textCalls(reply.text).map((body) => toNamedCall(parseJson(body, reply)));
  if (calls.length === 0) throw new DeskhandError("model_output", `Expected a computer_use call but received ${whatCame(reply)}.`);
  return calls;
}

/** What the reply said beside its calls, trimmed. */
export function textBesideCalls(reply: ModelReply): string {
  const start = reply.text.indexOf(OPEN);
  return (start < 0 ? reply.text : reply.text.slice(0, start)).trim();
}

/** Call bodies; the closing tag may be missing at the end, since some servers cut it off as a stop string. */
function textCalls(text: string): string[] {
  return text
    .split(OPEN)
    .slice(1)
    .map((part) => {
      const end = part.lastIndexOf(CLOSE);
      return (end < 0 ? part : part.slice(0, end)).trim();
    });
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
    const cut = reply.finishReason === "length" ? " The reply was cut off at its longest allowed length." : "";
    throw new DeskhandError("model_output", `Expected a call in valid JSON but received ${quote(text)} (${messageOf(cause)}).${cut}`, { cause });
  }
}

function whatCame(reply: ModelReply): string {
  if (reply.finishReason === "length") return `a reply that was cut off at its longest allowed length before any call (${quote(reply.text)})`;
  return reply.text.trim() === "" ? "an empty reply" : `only text: ${quote(reply.text)}`;
}

function quote(text: string): string {
  const trimmed = text.trim();
  return JSON.stringify(trimmed.length > 200 ? `${trimmed.slice(0, 200)}…` : trimmed);
}
