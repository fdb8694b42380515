import { seq } from "../grammar/node.js";
import type { ToolDefinition } from "../messages.js";
import { BlockParser, type ParsedCall } from "./block-parser.js";
import { NeedMore, NotACall, type Cursor } from "./cursor.js";
import type { ToolCallFormat } from "./format.js";
import { namedCall, pythonCalls, pythonOfCall, requireKnown } from "./python-calls.js";
import { PythonReader } from "./python-reader.js";
import { shellCall } from "./shell-call.js";

const OPEN = "```tool_code";
const CLOSE = "```";

/** Python calls in a block of code marked `tool_code`, as Google documents it for Gemma. */
export const gemma: ToolCallFormat = {
  name: "gemma",
  marks: [],
  matches: (chatTemplate) => chatTemplate.includes("tool_code"),
  render: (calls) => `${OPEN}\n${calls.map(pythonOfCall).join("\n")}\n${CLOSE}`,
  createParser: ({ tools = [], newId } = {}) => new BlockParser({ marks: [], tags: [OPEN], openers: [OPEN], read: (cursor) => readBlock(cursor, tools) }, newId),
  blocks: (rules) => [{ opening: OPEN, rest: seq("\n", pythonCalls(rules, "\n"), `\n${CLOSE}`) }],
};

/** The block ends at the first fence before which its code can be read: a string may hold fences of its own. */
function readBlock(cursor: Cursor, tools: readonly ToolDefinition[]): ParsedCall[] {
  cursor.require(OPEN);
  const start = cursor.at;
  for (let close = cursor.text.indexOf(CLOSE, start); close !== -1; close = cursor.text.indexOf(CLOSE, close + 1)) {
    const calls = readCode(cursor.text.slice(start, close), tools);
    if (calls === undefined) continue;
    cursor.at = close + CLOSE.length;
    return calls;
  }
  if (!cursor.isWhole) throw new NeedMore();
  cursor.at = cursor.text.length;
  return readCode(cursor.text.slice(start), tools) ?? notACall();
}

function readCode(code: string, tools: readonly ToolDefinition[]): ParsedCall[] | undefined {
  const readers = [
    () => new PythonReader(code).statements().map((call) => namedCall(call, tools)),
    () => code.split("\n").filter((line) => line.trim() !== "").map((line) => shellCall(line, tools)), // prettier-ignore
  ];
  for (const read of readers) {
    try {
      const calls = requireKnown(read(), tools);
      if (calls.length > 0) return calls;
    } catch (error) {
      if (!(error instanceof NotACall)) throw error;
    }
  }
  return undefined;
}

function notACall(): never {
  throw new NotACall();
}
