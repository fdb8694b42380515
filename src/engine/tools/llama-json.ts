import { seq } from "../grammar/node.js";
import type { ToolDefinition } from "../messages.js";
import { BlockParser, type ParsedCall } from "./block-parser.js";
import type { Cursor } from "./cursor.js";
import type { ToolCallFormat } from "./format.js";
import { callsOfJson, jsonCall, jsonOfCalls, readJson } from "./json-calls.js";
import { readPythonList } from "./llama-pythonic.js";
import { requireKnown } from "./python-calls.js";

const PYTHON_TAG = "<|python_tag|>";
const PYTHON_START = "<|python_start|>";
const PYTHON_END = "<|python_end|>";
const HEADERS = /<\|(start_header_id|header_start)\|>/;
const MARKS = [PYTHON_TAG, PYTHON_START, PYTHON_END];

/**
 * `{"name": …, "parameters": {…}}` as the whole answer, or after a mark; several with semicolons between: Llama 3.1 and 3.2. Llama 4, whose
 * template asks for the same, answers with Python calls as well.
 */
export const llamaJson: ToolCallFormat = {
  name: "llama-json",
  marks: MARKS,
  matches: (chatTemplate) => HEADERS.test(chatTemplate) && chatTemplate.includes('"parameters"'),
  render: (calls) => jsonOfCalls(calls, "parameters").join("; "),
  createParser: ({ tools = [], newId } = {}) => new BlockParser({ marks: MARKS, openers: [PYTHON_TAG, PYTHON_START], startOpeners: ["{", "["], read: (cursor) => readBlock(cursor, tools) }, newId),
  blocks: ({ each, row }) => {
    const calls = row(each((tool) => jsonCall(tool, "parameters")), "; "); // prettier-ignore
    return [
      { opening: "", rest: calls, firstCharacters: "{[" },
      { opening: PYTHON_TAG, rest: calls },
      { opening: PYTHON_START, rest: seq(calls, PYTHON_END) },
    ];
  },
};

function readBlock(cursor: Cursor, tools: readonly ToolDefinition[]): ParsedCall[] {
  if (!cursor.take(PYTHON_TAG)) cursor.take(PYTHON_START);
  cursor.space();
  const calls = cursor.is("[") ? readPythonList(cursor, tools) : readObjects(cursor, tools);
  cursor.takeAfterSpace(PYTHON_END);
  return calls;
}

function readObjects(cursor: Cursor, tools: readonly ToolDefinition[]): ParsedCall[] {
  return cursor
    .repeat(() => {
      const calls = requireKnown(callsOfJson(readJson(cursor.bracketed("{"))), tools);
      if (cursor.takeAfterSpace(";")) cursor.space();
      return calls;
    })
    .flat();
}
