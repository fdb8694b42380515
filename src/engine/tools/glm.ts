import { seq, type GrammarNode } from "../grammar/node.js";
import type { ToolDefinition } from "../messages.js";
import { BlockParser, type ParsedCall } from "./block-parser.js";
import { NotACall, type Cursor } from "./cursor.js";
import type { ToolCallFormat } from "./format.js";
import { argumentsObject } from "./json-calls.js";
import { parametersOf, typedValue } from "./schema-values.js";

const OPEN = "<tool_call>";
const CLOSE = "</tool_call>";
const KEY = "<arg_key>";
const KEY_END = "</arg_key>";
const VALUE = "<arg_value>";
const VALUE_END = "</arg_value>";
const MARKS = [OPEN, CLOSE, KEY, KEY_END, VALUE, VALUE_END];

/** `<tool_call>f\n<arg_key>a</arg_key>\n<arg_value>value</arg_value>\n</tool_call>`: GLM 4.5 and later. */
export const glm: ToolCallFormat = {
  name: "glm",
  marks: MARKS,
  matches: (chatTemplate) => chatTemplate.includes(KEY),
  render: (calls) =>
    calls
      .map((call) => {
        const entries = Object.entries(argumentsObject(call)).map(([key, value]) => `${KEY}${key}${KEY_END}\n${VALUE}${typeof value === "string" ? value : JSON.stringify(value)}${VALUE_END}\n`);
        return `${OPEN}${call.name}\n${entries.join("")}${CLOSE}`;
      })
      .join("\n"),
  createParser: ({ tools = [], newId } = {}) => new BlockParser({ marks: MARKS, openers: [OPEN], read: (cursor) => [readCall(cursor, tools)] }, newId),
  blocks: ({ each }) => {
    const parameter = (key: GrammarNode) => ({ before: seq(KEY, key, `${KEY_END}\n${VALUE}`), behind: VALUE_END, after: "\n" });
    return [{ opening: OPEN, rest: seq(each((tool) => seq(`${tool.name}\n`, tool.raw({ parameter, ends: MARKS }))), CLOSE), separator: "\n" }];
  },
};

function readCall(cursor: Cursor, tools: readonly ToolDefinition[]): ParsedCall {
  cursor.require(OPEN);
  cursor.space();
  const name = cursor.name();
  const schemas = parametersOf(tools, name);
  const entries = cursor.repeat(() => (cursor.takeAfterSpace(KEY) ? readArgument(cursor, schemas) : undefined));
  if (!cursor.takeAfterSpace(CLOSE) && entries.length === 0) throw new NotACall();
  return { name, arguments: JSON.stringify(Object.fromEntries(entries)) };
}

function readArgument(cursor: Cursor, schemas: ReturnType<typeof parametersOf>): [key: string, value: unknown] {
  const key = cursor.until(KEY_END, VALUE, OPEN, CLOSE).trim();
  cursor.require(KEY_END);
  cursor.space();
  cursor.require(VALUE);
  const text = cursor.until(VALUE_END, KEY, OPEN, CLOSE);
  cursor.take(VALUE_END);
  return [key, typedValue(text, schemas?.get(key))];
}
