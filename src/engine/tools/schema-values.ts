import type { ToolDefinition } from "../messages.js";
import { pythonValue } from "./python-reader.js";

type Schema = Record<string, unknown>;

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A function's parameters in the order of their definition; `undefined` for a function nobody defined. */
export function parametersOf(tools: readonly ToolDefinition[], name: string): Map<string, Schema> | undefined {
  const tool = tools.find((one) => one.name === name);
  if (tool === undefined) return undefined;
  const properties = tool.parameters?.["properties"];
  return new Map(isSchema(properties) ? Object.entries(properties).map(([key, schema]) => [key, isSchema(schema) ? schema : {}]) : []);
}

/** A value written without quotes, in the type its schema asks for; as text where that fails, or where there is no schema. */
export function typedValue(text: string, schema: Schema | undefined): unknown {
  if (schema === undefined) return text;
  const types = writtenTypes(schema);
  if (types.has("null") && /^(null|None)$/.test(text.trim())) return null;
  if (types.has("string")) return text;
  try {
    const value = pythonValue(text.trim());
    return types.size === 0 || types.has(typeOf(value)) || (types.has("number") && typeof value === "number") ? value : text;
  } catch {
    return text;
  }
}

/** The types a schema names, as far as it names them itself. */
export function writtenTypes(schema: Schema): Set<unknown> {
  const own = Array.isArray(schema["type"]) ? (schema["type"] as unknown[]) : schema["type"] === undefined ? [] : [schema["type"]];
  const choices = [schema["anyOf"], schema["oneOf"]].flatMap((list) => (Array.isArray(list) ? list.filter(isSchema) : []));
  const values = Array.isArray(schema["enum"]) && own.length === 0 ? (schema["enum"] as unknown[]).map(typeOf) : [];
  return new Set([...own, ...values, ...choices.flatMap((choice) => [...writtenTypes(choice)])]);
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return Number.isInteger(value) ? "integer" : typeof value;
}
