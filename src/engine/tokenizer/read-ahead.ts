import { setImmediate as nextTurn } from "node:timers/promises";
import { throwIfAborted } from "../../core/errors.js";
import { LATER, type Piece, type TokenizerCore } from "./core.js";

/** Characters that are read in one go: tens of milliseconds. */
const PART = 2 ** 13;
/** Characters on either side of a border that are read with and without it. */
const WINDOW = 128;
/** Borders that are tried in one part. */
const TRIES = 4;

/** Tokens of pieces by `keyOf`. */
export type KnownPieces = ReadonlyMap<string, readonly string[]>;

/**
 * The tokens of a text's long pieces, read part by part, with a turn for others after each. A part ends before a space where reading the
 * surroundings with and without the border gives the same tokens; a tokenizer that has no such places reads a piece as a whole.
 * @throws DeskhandError `cancelled`
 */
export async function readAhead(core: TokenizerCore, text: string, signal?: AbortSignal): Promise<KnownPieces> {
  const known = new Map<string, readonly string[]>();
  if (text.length <= PART) return known;
  const pieces: Piece[] = [];
  const collected = withTokensOf(core, (piece) => {
    if (piece[1].length > PART && !core.remembers(piece)) pieces.push(piece);
    return [];
  });
  collected.encode(text, { add_special_tokens: false });
  for (const [place, long] of pieces) {
    const tokens: string[] = [];
    let start = 0;
    while (start < long.length) {
      const end = borderAfter(core, long, start);
      for (const token of core.read([start === 0 ? place : LATER, long.slice(start, end)])) tokens.push(token);
      start = end;
      await nextTurn();
      throwIfAborted(signal);
    }
    known.set(keyOf([place, long]), tokens);
  }
  return known;
}

/** The same tokenizer for a text whose long pieces have been read ahead. */
export function withKnown(core: TokenizerCore, known: KnownPieces): TokenizerCore {
  if (known.size === 0) return core;
  return withTokensOf(core, (piece) => known.get(keyOf(piece)) ?? core.model(piece));
}

function withTokensOf(core: TokenizerCore, tokensOf: (piece: Piece) => readonly string[]): TokenizerCore {
  return Object.create(core, { model: { value: Object.setPrototypeOf(tokensOf, core.model) as unknown } }) as TokenizerCore;
}

function keyOf([place, text]: Piece): string {
  return place + text;
}

/** Where the part that begins at `start` may end. */
function borderAfter(core: TokenizerCore, text: string, start: number): number {
  for (let end = start + PART; end < text.length; end += PART) {
    let tries = 0;
    for (let at = end; at > end - PART / 2 && tries < TRIES; at--) {
      if (!isSpace(text[at]) || isSpace(text[at - 1]) || isSpace(text[at + 1])) continue;
      if (isNeutral(core, text.slice(at - WINDOW, at), text.slice(at, at + WINDOW))) return at;
      tries++;
    }
  }
  return text.length;
}

/** Some normalizers write spaces as SentencePiece does. */
function isSpace(character: string | undefined): boolean {
  return character === undefined || /[\s▁]/.test(character);
}

function isNeutral(core: TokenizerCore, before: string, behind: string): boolean {
  const [joined, ...parts] = [before + behind, before, behind].map((text) => core.read([LATER, text]).join("\0"));
  return joined === parts.join("\0");
}
