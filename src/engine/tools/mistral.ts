import { alt, optional, seq } from "../grammar/node.js";
import { randomInt } from "node:crypto";
import { BlockParser, type ParsedCall } from "./block-parser.js";
import type { Cursor } from "./cursor.js";
import type { ToolCallFormat } from "./format.js";
import { callsOfJson, jsonCall, jsonOfCalls, readJson } from "./json-calls.js";

const OPEN = "[TOOL_CALLS]";
const CALL_ID = "[CALL_ID]";
const ARGS = "[ARGS]";
const ID_LENGTH = 9;
const ID_CHARACTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const MARKS = [OPEN, CALL_ID, ARGS];

/** `[TOOL_CALLS] [{"name": …, "arguments": {…}}]`, and `[TOOL_CALLS]name[ARGS]{…}` of Mistral's newer tokenizers. */
export const mistral: ToolCallFormat = {
  name: "mistral",
  marks: MARKS,
  matches: (chatTemplate) => chatTemplate.includes(OPEN),
  render: (calls) => `${OPEN}[${jsonOfCalls(calls, "arguments").join(", ")}]`,
  createParser: ({ newId = newMistralId } = {}) => new BlockParser({ marks: MARKS, openers: [OPEN], read: readBlock }, newId),
  blocks: ({ each, row }) => [
    {
      opening: OPEN,
      rest: alt(
        seq(optional(" "), "[", row(each((tool) => jsonCall(tool, "arguments")), ", "), "]"),
        row(each((tool) => seq(tool.name, ARGS, tool.json())), OPEN),
      ),
    },
  ],
};

/** Mistral's templates refuse ids of any other length. */
function newMistralId(): string {
  return Array.from({ length: ID_LENGTH }, () => ID_CHARACTERS[randomInt(ID_CHARACTERS.length)]).join("");
}

function readBlock(cursor: Cursor): ParsedCall[] {
  cursor.require(OPEN);
  cursor.space();
  if (cursor.is("[")) return callsOfJson(readJson(cursor.bracketed("[")));
  const name = cursor.name();
  const id = cursor.takeAfterSpace(CALL_ID) ? { id: cursor.name() } : {};
  cursor.takeAfterSpace(ARGS);
  cursor.space();
  return [{ name, arguments: cursor.bracketed("{", { ends: [OPEN] }), ...id }];
}
