import { seq } from "../grammar/node.js";
import type { ToolDefinition } from "../messages.js";
import { BlockParser, type ParsedCall } from "./block-parser.js";
import type { Cursor } from "./cursor.js";
import type { ToolCallFormat } from "./format.js";
import { namedCall, pythonCalls, pythonOfCall, requireKnown } from "./python-calls.js";
import { PythonReader } from "./python-reader.js";

const PYTHON_TAG = "<|python_tag|>";
const PYTHON_START = "<|python_start|>";
const PYTHON_END = "<|python_end|>";
const MARKS = [PYTHON_TAG, PYTHON_START, PYTHON_END];

/** `[f(a=1), g(b="x")]` as the whole answer: Llama 3.2 and Llama 4. */
export const llamaPythonic: ToolCallFormat = {
  name: "llama-pythonic",
  marks: MARKS,
  matches: (chatTemplate) => /\[func(tion)?_?name1?\(/.test(chatTemplate),
  render: (calls) => `[${calls.map(pythonOfCall).join(", ")}]`,
  createParser: ({ tools = [], newId } = {}) => new BlockParser({ marks: MARKS, openers: [PYTHON_TAG, PYTHON_START], startOpeners: ["["], read: (cursor) => readBlock(cursor, tools) }, newId),
  blocks: (rules) => {
    const calls = seq("[", pythonCalls(rules, ", "), "]");
    return [
      { opening: "", rest: calls, firstCharacters: "[" },
      { opening: PYTHON_TAG, rest: calls },
      { opening: PYTHON_START, rest: seq(calls, PYTHON_END) },
    ];
  },
};

function readBlock(cursor: Cursor, tools: readonly ToolDefinition[]): ParsedCall[] {
  if (!cursor.take(PYTHON_TAG)) cursor.take(PYTHON_START);
  cursor.space();
  const calls = readPythonList(cursor, tools);
  cursor.takeAfterSpace(PYTHON_END);
  return calls;
}

/** `[f(a=1), …]` of functions that are defined. @throws NotACall */
export function readPythonList(cursor: Cursor, tools: readonly ToolDefinition[]): ParsedCall[] {
  const calls = new PythonReader(cursor.bracketed("[", { quotes: "\"'" })).callList();
  return requireKnown(calls.map((call) => namedCall(call, tools)), tools);
}
