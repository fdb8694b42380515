import { seq } from "../grammar/node.js";
import { BlockParser, type ParsedCall } from "./block-parser.js";
import type { Cursor } from "./cursor.js";
import type { ToolCallFormat } from "./format.js";
import { callsOfJson, jsonCall, jsonOfCalls, readJson } from "./json-calls.js";

const OPEN = "<|tool_call|>";
const CLOSE = "<|/tool_call|>";
const FUNCTOOLS = "functools";
const MARKS = [OPEN, CLOSE];

/** `<|tool_call|>[{…}]<|/tool_call|>`, and `functools[{…}]` of Phi-4-mini. */
export const phi: ToolCallFormat = {
  name: "phi",
  marks: MARKS,
  matches: (chatTemplate) => [OPEN, CLOSE, FUNCTOOLS, "<|tool|>"].some((mark) => chatTemplate.includes(mark)),
  render: (calls) => `${OPEN}[${jsonOfCalls(calls, "arguments").join(", ")}]${CLOSE}`,
  createParser: ({ newId } = {}) => new BlockParser({ marks: MARKS, openers: [OPEN, `${FUNCTOOLS}[`], read: readBlock }, newId),
  blocks: ({ each, row }) => {
    const calls = seq(row(each((tool) => jsonCall(tool, "arguments")), ", "), "]");
    return [
      { opening: OPEN, rest: seq("[", calls, CLOSE) },
      { opening: `${FUNCTOOLS}[`, rest: calls },
    ];
  },
};

function readBlock(cursor: Cursor): ParsedCall[] {
  if (!cursor.take(OPEN)) cursor.require(FUNCTOOLS);
  cursor.space();
  const calls = callsOfJson(readJson(cursor.bracketed(cursor.is("{") ? "{" : "[")));
  cursor.takeAfterSpace(CLOSE);
  return calls;
}
