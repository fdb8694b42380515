import { bytes, repeat, seq } from "../grammar/node.js";
import { BlockParser, type ParsedCall } from "./block-parser.js";
import type { Cursor } from "./cursor.js";
import type { ToolCallFormat } from "./format.js";

const SECTION = "<|tool_calls_section_begin|>";
const SECTION_END = "<|tool_calls_section_end|>";
const CALL = "<|tool_call_begin|>";
const CALL_END = "<|tool_call_end|>";
const ARGUMENTS = "<|tool_call_argument_begin|>";
const MARKS = [SECTION, SECTION_END, CALL, CALL_END, ARGUMENTS];

/** `<|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{…}<|tool_call_end|>` in a section: Kimi K2. */
export const kimi: ToolCallFormat = {
  name: "kimi",
  marks: MARKS,
  matches: (chatTemplate) => chatTemplate.includes(SECTION),
  render: (calls) => SECTION + calls.map((call, index) => `${CALL}functions.${call.name}:${index}${ARGUMENTS}${call.arguments}${CALL_END}`).join("") + SECTION_END,
  createParser: ({ newId } = {}) => new BlockParser({ marks: MARKS, openers: [SECTION, CALL], read: readBlock }, newId),
  blocks: ({ each, row }) => {
    const rest = seq(each((tool) => seq(`functions.${tool.name}:`, repeat(bytes([0x30, 0x39]), 1, 2), ARGUMENTS, tool.json())), CALL_END);
    return [
      { opening: SECTION, rest: seq(row(seq(CALL, rest), ""), SECTION_END) },
      { opening: CALL, rest },
    ];
  },
};

function readBlock(cursor: Cursor): ParsedCall[] {
  cursor.take(SECTION);
  const calls = cursor.repeat(() => (cursor.takeAfterSpace(CALL) ? readCall(cursor) : undefined));
  if (calls.length > 0) cursor.takeAfterSpace(SECTION_END);
  return calls;
}

/** The id holds the name: `functions.f:0`. */
function readCall(cursor: Cursor): ParsedCall {
  cursor.space();
  const name = cursor.name();
  if (cursor.take(":")) cursor.name();
  cursor.space();
  cursor.require(ARGUMENTS);
  cursor.space();
  const text = cursor.bracketed("{", { ends: [CALL_END, SECTION_END, CALL] });
  cursor.takeAfterSpace(CALL_END);
  return { name: name.replace(/^functions\./, ""), arguments: text };
}
