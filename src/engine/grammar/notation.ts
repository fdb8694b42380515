import { jsonCharacter, type Spelling } from "./characters.js";
import { alt, bytes, EMPTY, literal, optional, repeat, seq, type GrammarNode } from "./node.js";

/** How values are written: JSON, or the Python that some models call functions in. */
export interface Notation {
  words: { null: string; true: string; false: string };
  /** A character inside quotes. */
  character: Spelling;
  /** A value that is known. */
  literal(value: unknown): string;
}

export const JSON_NOTATION: Notation = { words: { null: "null", true: "true", false: "false" }, character: jsonCharacter, literal: (value) => JSON.stringify(value) };

/** Spaces in front of an indented line. */
const MAX_INDENT = 40;

/** White space where JSON may have some: none, one space, or a new line and its indent. More would only be a way never to end. */
export const SPACE: GrammarNode = alt(EMPTY, " ", seq("\n", repeat(bytes([0x09, 0x09], [0x20, 0x20]), 0, MAX_INDENT)));

export const COMMA: GrammarNode = seq(",", SPACE);
export const COLON: GrammarNode = seq(":", optional(" "));

export function quoted(content: GrammarNode): GrammarNode {
  return seq('"', content, '"');
}

/** `open`, what `content` says, `close`, with white space inside. */
export function bracketed(open: string, content: GrammarNode, close: string): GrammarNode {
  return seq(literal(open), SPACE, content, SPACE, literal(close));
}
