import type { CallRules } from "../grammar/call-rules.js";
import { seq, type GrammarNode } from "../grammar/node.js";
import type { ToolCall, ToolDefinition } from "../messages.js";
import type { ParsedCall } from "./block-parser.js";
import { NotACall } from "./cursor.js";
import { argumentsObject } from "./json-calls.js";
import type { PythonCall } from "./python-reader.js";
import { parametersOf } from "./schema-values.js";

/** Names positional arguments after the function's definition. @throws NotACall when it has too few parameters, or none is known. */
export function namedCall({ name, positional, keywords }: PythonCall, tools: readonly ToolDefinition[]): ParsedCall {
  const names = positional.length === 0 ? [] : [...(parametersOf(tools, name)?.keys() ?? [])];
  if (positional.length > names.length) throw new NotACall();
  const given = positional.map((value, index) => [names[index]!, value] as const);
  return { name, arguments: JSON.stringify(Object.fromEntries([...given, ...Object.entries(keywords)])) };
}

/** Text without marks of its own is a call only when it names functions that exist. @throws NotACall */
export function requireKnown<Call extends { name: string }>(calls: Call[], tools: readonly ToolDefinition[]): Call[] {
  if (tools.length > 0 && !calls.every(({ name }) => tools.some((tool) => tool.name === name))) throw new NotACall();
  return calls;
}

/** `f(a=1, b="x")` */
export function pythonOfCall(call: Pick<ToolCall, "name" | "arguments">): string {
  return `${call.name}(${Object.entries(argumentsObject(call)).map(([key, value]) => `${key}=${pythonLiteral(value)}`).join(", ")})`; // prettier-ignore
}

/** Such calls as a grammar. */
export function pythonCalls({ each, row }: CallRules, separator: string): GrammarNode {
  return row(each((tool) => seq(`${tool.name}(`, tool.keywords(), ")")), separator);
}

/** A JSON value as Python writes it. */
export function pythonLiteral(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(pythonLiteral).join(", ")}]`;
  if (typeof value === "object" && value !== null) return `{${Object.entries(value).map(([key, entry]) => `${JSON.stringify(key)}: ${pythonLiteral(entry)}`).join(", ")}}`; // prettier-ignore
  if (typeof value === "boolean") return value ? "True" : "False";
  return value === null || value === undefined ? "None" : JSON.stringify(value);
}
