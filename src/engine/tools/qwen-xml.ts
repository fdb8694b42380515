import { seq, type GrammarNode } from "../grammar/node.js";
import type { ToolDefinition } from "../messages.js";
import { BlockParser, type ParsedCall } from "./block-parser.js";
import { NotACall, type Cursor } from "./cursor.js";
import type { ToolCallFormat } from "./format.js";
import { argumentsObject } from "./json-calls.js";
import { parametersOf, typedValue } from "./schema-values.js";

const OPEN = "<tool_call>";
const CLOSE = "</tool_call>";
const FUNCTION = "<function=";
const FUNCTION_END = "</function>";
const PARAMETER = "<parameter=";
const PARAMETER_END = "</parameter>";
const MARKS = [OPEN, CLOSE];

/** `<tool_call><function=f><parameter=a>value</parameter></function></tool_call>`: Qwen3-Coder and Qwen3.5. Models leave out tags at times. */
export const qwenXml: ToolCallFormat = {
  name: "qwen-xml",
  marks: MARKS,
  matches: (chatTemplate) => chatTemplate.includes(FUNCTION),
  render: (calls) =>
    calls
      .map((call) => {
        const parameters = Object.entries(argumentsObject(call)).map(([key, value]) => `${PARAMETER}${key}>\n${typeof value === "string" ? value : JSON.stringify(value)}\n${PARAMETER_END}\n`);
        return `${OPEN}\n${FUNCTION}${call.name}>\n${parameters.join("")}${FUNCTION_END}\n${CLOSE}`;
      })
      .join("\n"),
  createParser: ({ tools = [], newId } = {}) => new BlockParser({ marks: MARKS, tags: [FUNCTION, FUNCTION_END, PARAMETER, PARAMETER_END], openers: [OPEN, FUNCTION], read: (cursor) => readBlock(cursor, tools) }, newId),
  blocks: ({ each }) => {
    const parameter = (key: GrammarNode) => ({ before: seq(PARAMETER, key, ">\n"), behind: `\n${PARAMETER_END}`, after: "\n" });
    const call = each((tool) => seq(`${tool.name}>\n`, tool.raw({ parameter, ends: [PARAMETER_END, PARAMETER, FUNCTION, FUNCTION_END, OPEN, CLOSE] }), FUNCTION_END));
    return [
      { opening: OPEN, rest: seq("\n", FUNCTION, call, `\n${CLOSE}`), separator: "\n" },
      { opening: FUNCTION, rest: call, separator: "\n" },
    ];
  },
};

function readBlock(cursor: Cursor, tools: readonly ToolDefinition[]): ParsedCall[] {
  cursor.take(OPEN);
  cursor.space();
  const calls = cursor.repeat(() => (cursor.takeAfterSpace(FUNCTION) ? readFunction(cursor, tools) : undefined));
  if (calls.length > 0) cursor.takeAfterSpace(CLOSE);
  return calls;
}

function readFunction(cursor: Cursor, tools: readonly ToolDefinition[]): ParsedCall {
  const name = cursor.name();
  cursor.require(">");
  const schemas = parametersOf(tools, name);
  const entries = cursor.repeat(() => (cursor.takeAfterSpace(PARAMETER) ? readParameter(cursor, schemas) : undefined));
  cursor.takeAfterSpace(FUNCTION_END);
  return { name, arguments: JSON.stringify(Object.fromEntries(entries)) };
}

function readParameter(cursor: Cursor, schemas: ReturnType<typeof parametersOf>): [key: string, value: unknown] {
  const key = cursor.until(">", "\n").trim();
  if (key === "") throw new NotACall();
  cursor.require(">");
  const text = cursor.until(PARAMETER_END, PARAMETER, FUNCTION_END, OPEN, CLOSE);
  cursor.take(PARAMETER_END);
  return [key, typedValue(text.replace(/^\n/, "").replace(/\n$/, ""), schemas?.get(key))];
}
