import type { ToolDefinition } from "../messages.js";
import { BlockParser, type ParsedCall } from "./block-parser.js";
import type { Cursor } from "./cursor.js";
import type { ToolCallFormat } from "./format.js";
import { callsOfJson, jsonOfCalls, readJson } from "./json-calls.js";
import { readPythonList } from "./llama-pythonic.js";
import { requireKnown } from "./python-calls.js";

const PYTHON_TAG = "<|python_tag|>";

/** `{"name": …, "parameters": {…}}` as the whole answer, or after `<|python_tag|>`; several with semicolons between: Llama 3.1 and 3.2. */
export const llamaJson: ToolCallFormat = {
  name: "llama-json",
  marks: [PYTHON_TAG],
  matches: (chatTemplate) => chatTemplate.includes("<|start_header_id|>") && chatTemplate.includes('"parameters"'),
  render: (calls) => jsonOfCalls(calls, "parameters").join("; "),
  createParser: ({ tools = [], newId } = {}) => new BlockParser({ openers: [PYTHON_TAG], startOpeners: ["{"], read: (cursor) => readBlock(cursor, tools) }, newId),
};

function readBlock(cursor: Cursor, tools: readonly ToolDefinition[]): ParsedCall[] {
  cursor.take(PYTHON_TAG);
  cursor.space();
  if (cursor.is("[")) return readPythonList(cursor, tools);
  return cursor
    .repeat(() => {
      const calls = requireKnown(callsOfJson(readJson(cursor.bracketed("{"))), tools);
      if (cursor.takeAfterSpace(";")) cursor.space();
      return calls;
    })
    .flat();
}
