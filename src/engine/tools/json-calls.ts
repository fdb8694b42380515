import type { CallableTool } from "../grammar/call-rules.js";
import { seq, type GrammarNode } from "../grammar/node.js";
import type { ToolCall } from "../messages.js";
import type { ParsedCall } from "./block-parser.js";
import { NotACall } from "./cursor.js";

/** The value of JSON text. @throws NotACall when it is none. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new NotACall();
  }
}

/** Calls of `{"name": …, "arguments" or "parameters": {…}}`, one or a list of them. */
export function callsOfJson(value: unknown): ParsedCall[] {
  return (Array.isArray(value) ? value : [value]).map(callOfJson);
}

function callOfJson(value: unknown): ParsedCall {
  if (typeof value !== "object" || value === null || !("name" in value) || typeof value.name !== "string" || value.name === "") throw new NotACall();
  const given = "arguments" in value ? value.arguments : "parameters" in value ? value.parameters : {};
  const id = "id" in value && typeof value.id === "string" && value.id !== "" ? { id: value.id } : {};
  return { name: value.name, arguments: argumentsText(given), ...id };
}

/** Some models write the arguments as a string that holds JSON: that JSON is meant. */
function argumentsText(value: unknown): string {
  if (value === null || value === undefined) return "{}";
  if (typeof value === "string") return isObject(parsed(value)) ? value : notACall();
  return isObject(value) ? JSON.stringify(value) : notACall();
}

/** A call's arguments as an object; empty for text that is none. */
export function argumentsObject({ arguments: text }: Pick<ToolCall, "arguments">): Record<string, unknown> {
  const value = parsed(text);
  return isObject(value) ? value : {};
}

/** `{"name": …, KEY: {…}}` of each call. */
export function jsonOfCalls(calls: readonly Pick<ToolCall, "name" | "arguments">[], key: "arguments" | "parameters"): string[] {
  return calls.map((call) => JSON.stringify({ name: call.name, [key]: argumentsObject(call) }));
}

/** One such call as a grammar. */
export function jsonCall(tool: CallableTool, key: "arguments" | "parameters"): GrammarNode {
  return seq(`{"name": ${JSON.stringify(tool.name)}, "${key}": `, tool.json(), "}");
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function notACall(): never {
  throw new NotACall();
}
