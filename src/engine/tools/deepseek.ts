import { alt, seq } from "../grammar/node.js";
import { BlockParser, type ParsedCall } from "./block-parser.js";
import type { Cursor } from "./cursor.js";
import type { ToolCallFormat } from "./format.js";

const SECTION = "<｜tool▁calls▁begin｜>";
const SECTION_END = "<｜tool▁calls▁end｜>";
const CALL = "<｜tool▁call▁begin｜>";
const CALL_END = "<｜tool▁call▁end｜>";
const SEPARATOR = "<｜tool▁sep｜>";
const FENCE = "```";
const MARKS = [SECTION, SECTION_END, CALL, CALL_END, SEPARATOR];

/** DeepSeek V3 and R1, whose calls hold a type, a name and a block of JSON; and V3.1, whose calls hold a name and JSON. */
export const deepseek: ToolCallFormat = {
  name: "deepseek",
  marks: MARKS,
  matches: (chatTemplate) => chatTemplate.includes(SECTION),
  render: (calls) => SECTION + calls.map((call) => `${CALL}function${SEPARATOR}${call.name}\n${FENCE}json\n${call.arguments}\n${FENCE}${CALL_END}`).join("\n") + SECTION_END,
  createParser: ({ newId } = {}) => new BlockParser({ marks: MARKS, openers: [SECTION, CALL], read: readBlock }, newId),
  blocks: ({ each, row }) => {
    const rest = each((tool) => alt(seq(`function${SEPARATOR}${tool.name}\n${FENCE}json\n`, tool.json(), `\n${FENCE}${CALL_END}`), seq(tool.name, SEPARATOR, tool.json(), CALL_END)));
    return [
      { opening: SECTION, rest: seq(row(seq(CALL, rest), alt("", "\n")), SECTION_END) },
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

function readCall(cursor: Cursor): ParsedCall {
  cursor.space();
  let name = cursor.name();
  cursor.require(SEPARATOR);
  cursor.space();
  const isFenced = !cursor.is("{");
  if (isFenced) {
    name = cursor.name();
    cursor.space();
    cursor.require(FENCE);
    cursor.take("json");
    cursor.space();
  }
  const text = cursor.bracketed("{", { ends: isFenced ? [FENCE, CALL_END, SECTION_END, CALL] : [CALL_END, SECTION_END, CALL] });
  if (isFenced) cursor.takeAfterSpace(FENCE);
  cursor.takeAfterSpace(CALL_END);
  return { name, arguments: text };
}
