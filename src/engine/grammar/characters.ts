import { alt, bytes, EMPTY, seq, words, type GrammarNode } from "./node.js";

/** A set of characters, as ranges of code points in order, apart from each other. Never a surrogate: those are no characters. */
export type Characters = readonly (readonly [from: number, to: number])[];

const LAST = 0x10ffff;
const SURROGATES = [0xd800, 0xdfff] as const;

export const ANY: Characters = without([[0, LAST]], [SURROGATES]);

/** Sorted and joined; what is no character goes. */
export function characters(ranges: Iterable<readonly [from: number, to: number]>): Characters {
  const joined: [number, number][] = [];
  for (const [from, to] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const last = joined.at(-1);
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else joined.push([from, to]);
  }
  return without(joined, [SURROGATES]);
}

export function without(set: Characters, removed: Characters): Characters {
  return removed.reduce<Characters>(
    (kept, [first, last]) => kept.flatMap(([from, to]) => [[from, Math.min(to, first - 1)] as const, [Math.max(from, last + 1), to] as const].filter(([a, b]) => a <= b)),
    set,
  );
}

export function intersection(a: Characters, b: Characters): Characters {
  return without(a, inverse(b));
}

export function inverse(set: Characters): Characters {
  return without(ANY, set);
}

export function has(set: Characters, character: number): boolean {
  return set.some(([from, to]) => from <= character && character <= to);
}

/** One character of the set, in UTF-8 and in no other way of writing it. */
export function utf8(set: Characters): GrammarNode {
  const ranges = set.flatMap(([from, to]) => sameLength(from, to));
  const ascii = ranges.filter(([from]) => from.length === 1).map(([[from], [to]]) => [from!, to!] as const);
  const longer = ranges.filter(([from]) => from.length > 1).map(([from, to]) => byteRange(from, to));
  return alt(...(ascii.length > 0 ? [bytes(...ascii)] : []), ...longer);
}

/** A range cut where UTF-8 takes one byte more, as the bytes of its ends. */
function sameLength(from: number, to: number): [from: number[], to: number[]][] {
  const borders = [0x7f, 0x7ff, 0xffff, LAST];
  return borders.flatMap((last, i): [number[], number[]][] => {
    const first = i === 0 ? 0 : borders[i - 1]! + 1;
    const [low, high] = [Math.max(from, first), Math.min(to, last)];
    return low > high ? [] : [[encode(low), encode(high)]];
  });
}

function encode(character: number): number[] {
  return [...new TextEncoder().encode(String.fromCodePoint(character))];
}

/** Byte strings of one length between two, where all behind the first byte go from 0x80 to 0xbf. */
function byteRange(from: readonly number[], to: readonly number[]): GrammarNode {
  const [low, ...lowRest] = from as [number, ...number[]];
  const [high, ...highRest] = to as [number, ...number[]];
  if (lowRest.length === 0) return bytes([low, high]);
  const least = lowRest.map(() => 0x80);
  const most = lowRest.map(() => 0xbf);
  if (low === high) return seq(bytes([low, low]), byteRange(lowRest, highRest));
  const isWhole = (rest: readonly number[], whole: readonly number[]): boolean => rest.every((byte, i) => byte === whole[i]);
  const first = isWhole(lowRest, least) ? low : low + 1;
  const last = isWhole(highRest, most) ? high : high - 1;
  return alt(
    ...(first > low ? [seq(bytes([low, low]), byteRange(lowRest, most))] : []),
    ...(first <= last ? [seq(bytes([first, last]), byteRange(least, most))] : []),
    ...(last < high ? [seq(bytes([high, high]), byteRange(least, highRest))] : []),
  );
}

/** How a string's characters are written: one node for one character of a set. */
export type Spelling = (set: Characters) => GrammarNode;

const SHORT_ESCAPES: readonly (readonly [character: number, escape: string])[] = [
  [0x08, "\\b"],
  [0x09, "\\t"],
  [0x0a, "\\n"],
  [0x0c, "\\f"],
  [0x0d, "\\r"],
  [0x22, '\\"'],
  [0x5c, "\\\\"],
];

/** What stands in a JSON string only as an escape. */
const ESCAPED: Characters = [
  [0, 0x1f],
  [0x22, 0x22],
  [0x5c, 0x5c],
];

/**
 * Characters in a JSON string, each in one way: as itself, or where that cannot be by its shortest escape. Whoever reads the text gets every
 * string all the same, and a key has one spelling.
 */
export const jsonCharacter: Spelling = (set) => {
  const short = SHORT_ESCAPES.filter(([character]) => has(set, character));
  const long = [...Array(0x20).keys()].filter((character) => has(set, character) && !SHORT_ESCAPES.some(([known]) => known === character));
  const escapes = [...short.map(([, escape]) => escape), ...long.map((character) => `\\u${character.toString(16).padStart(4, "0")}`)];
  return alt(utf8(without(set, ESCAPED)), ...(escapes.length > 0 ? [words(escapes.map((escape) => [escape, EMPTY]))] : []));
};

/** Characters as they are. */
export const plainCharacter: Spelling = utf8;
