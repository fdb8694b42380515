import { seq } from "../grammar/node.js";
import type { ToolDefinition } from "../messages.js";
import { BlockParser, type ParsedCall } from "./block-parser.js";
import type { Cursor } from "./cursor.js";
import type { ToolCallFormat } from "./format.js";
import { namedCall, pythonCalls, pythonOfCall } from "./python-calls.js";
import { PythonReader } from "./python-reader.js";

const OPEN = "<|tool_call_start|>";
const CLOSE = "<|tool_call_end|>";
const MARKS = [OPEN, CLOSE];

/** `<|tool_call_start|>[f(a=1)]<|tool_call_end|>`: LFM2. */
export const lfm: ToolCallFormat = {
  name: "lfm",
  marks: MARKS,
  matches: (chatTemplate) => chatTemplate.includes(OPEN) || chatTemplate.includes("<|tool_list_start|>"),
  render: (calls) => `${OPEN}[${calls.map(pythonOfCall).join(", ")}]${CLOSE}`,
  createParser: ({ tools = [], newId } = {}) => new BlockParser({ marks: MARKS, openers: [OPEN], read: (cursor) => readBlock(cursor, tools) }, newId),
  blocks: (rules) => [{ opening: OPEN, rest: seq("[", pythonCalls(rules, ", "), "]", CLOSE) }],
};

function readBlock(cursor: Cursor, tools: readonly ToolDefinition[]): ParsedCall[] {
  cursor.require(OPEN);
  cursor.space();
  const calls = new PythonReader(cursor.bracketed("[", { quotes: "\"'" })).callList().map((call) => namedCall(call, tools));
  cursor.takeAfterSpace(CLOSE);
  return calls;
}
