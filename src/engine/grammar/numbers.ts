import { alt, bytes, EMPTY, NEVER, optional, repeat, seq, words, type GrammarNode } from "./node.js";

/** Digits that a number has at most: so many are told apart by a double, and in their order. */
const MAX_DIGITS = 15;
const LARGEST = 10 ** MAX_DIGITS - 1;

export interface NumberBounds {
  /** Inclusive unless `…IsOpen`. */
  min: number;
  max: number;
  minIsOpen?: boolean;
  maxIsOpen?: boolean;
}

const digit = (from: number, to: number): GrammarNode => (from > to ? NEVER : bytes([0x30 + from, 0x30 + to]));
const anyDigits = (min: number, max: number): GrammarNode => repeat(digit(0, 9), min, max);

/** Whole numbers within bounds, as JSON writes them: no exponent, no -0. */
export function integers({ min, max, minIsOpen, maxIsOpen }: NumberBounds): GrammarNode {
  const low = Math.max(minIsOpen ? Math.floor(min) + 1 : Math.ceil(min), Number.MIN_SAFE_INTEGER);
  const high = Math.min(maxIsOpen ? Math.ceil(max) - 1 : Math.floor(max), Number.MAX_SAFE_INTEGER);
  if (low > high) return NEVER;
  if (low === Number.MIN_SAFE_INTEGER && high === Number.MAX_SAFE_INTEGER) return (anyInteger ??= between(low, high));
  return between(low, high);
}

/** Made once: most integers of most schemas are these. */
let anyInteger: GrammarNode | undefined;

function between(low: number, high: number): GrammarNode {
  return alt(
    ...(low < 0 ? [seq("-", naturals(Math.max(1, -high), -low))] : []),
    ...(high >= 0 ? [naturals(Math.max(0, low), high)] : []),
  );
}

/** From `low` to `high`, neither negative. */
function naturals(low: number, high: number): GrammarNode {
  const choices: GrammarNode[] = [];
  for (let length = String(low).length; length <= String(high).length; length++) {
    const from = Math.max(low, length === 1 ? 0 : 10 ** (length - 1));
    choices.push(sameLength(String(from), String(Math.min(high, 10 ** length - 1))));
  }
  return alt(...choices);
}

/** Digits between two of the same length. */
function sameLength(from: string, to: string): GrammarNode {
  if (from === "") return EMPTY;
  const [low, high] = [Number(from[0]), Number(to[0])];
  const [lowRest, highRest] = [from.slice(1), to.slice(1)];
  if (low === high) return seq(digit(low, low), sameLength(lowRest, highRest));
  const nines = lowRest.replaceAll(/./g, "9");
  const zeros = lowRest.replaceAll(/./g, "0");
  const first = lowRest === zeros ? low : low + 1;
  const last = highRest === nines ? high : high - 1;
  return alt(
    ...(first > low ? [seq(digit(low, low), sameLength(lowRest, nines))] : []),
    ...(first <= last ? [seq(digit(first, last), anyDigits(lowRest.length, lowRest.length))] : []),
    ...(last < high ? [seq(digit(high, high), sameLength(zeros, highRest))] : []),
  );
}

/** Numbers within bounds, with a fraction or without; where there are no bounds, with an exponent as well. */
export function numbers(bounds: NumberBounds): GrammarNode {
  const { min, max } = bounds;
  if (min === -Infinity && max === Infinity) {
    const whole = alt("0", seq(digit(1, 9), anyDigits(0, MAX_DIGITS - 1)));
    return seq(optional("-"), whole, optional(seq(".", anyDigits(1, MAX_DIGITS))), optional(seq(bytes([0x45, 0x45], [0x65, 0x65]), optional(bytes([0x2b, 0x2b], [0x2d, 0x2d])), anyDigits(1, 2))));
  }
  const positive = nonNegatives({ ...bounds, min: Math.max(0, min), minIsOpen: min < 0 ? false : bounds.minIsOpen });
  const negative = nonNegatives({ min: Math.max(0, -max), max: -min, minIsOpen: max > 0 ? true : (bounds.maxIsOpen ?? false) || max === 0, maxIsOpen: bounds.minIsOpen });
  return alt(...(max >= 0 ? [positive] : []), ...(min < 0 ? [seq("-", negative)] : []));
}

/** No sign; -0 is the caller's to avoid, by an open lower bound of 0. */
function nonNegatives({ min, max, minIsOpen = false, maxIsOpen = false }: NumberBounds): GrammarNode {
  const low = decimal(min, "up");
  const high = decimal(Math.min(max, LARGEST), "down");
  const choices: GrammarNode[] = [];
  const fraction = (whole: number, from: string, to: string | undefined, open: { from: boolean; to: boolean }): void => {
    const node = fractions(from, to, open, Math.max(1, MAX_DIGITS - String(whole).length));
    choices.push(seq(words([[String(whole), EMPTY]]), node));
  };
  if (low.whole === high.whole) fraction(low.whole, low.fraction, high.fraction, { from: minIsOpen, to: maxIsOpen });
  else if (low.whole < high.whole) {
    fraction(low.whole, low.fraction, undefined, { from: minIsOpen, to: false });
    for (let length = String(low.whole + 1).length; length <= String(high.whole - 1).length && low.whole + 1 <= high.whole - 1; length++) {
      const from = Math.max(low.whole + 1, length === 1 ? 0 : 10 ** (length - 1));
      const to = Math.min(high.whole - 1, 10 ** length - 1);
      choices.push(seq(sameLength(String(from), String(to)), length < MAX_DIGITS ? optional(seq(".", anyDigits(1, MAX_DIGITS - length))) : EMPTY));
    }
    fraction(high.whole, "", high.fraction, { from: false, to: maxIsOpen });
  }
  return alt(...choices);
}

/** What may follow the whole part: nothing, or a point and digits, from `from` on and up to `to`, both without zeros at the end. */
function fractions(from: string, to: string | undefined, open: { from: boolean; to: boolean }, digits: number): GrammarNode {
  const zeroFits = from === "" && !open.from && !(to === "" && open.to);
  const behind = digitsBetween(from, to, open, digits);
  return alt(...(zeroFits ? [EMPTY] : []), seq(".", behind));
}

/** One to `left` digits of a fraction: as a number not before `from`, not behind `to`. */
function digitsBetween(from: string, to: string | undefined, open: { from: boolean; to: boolean }, left: number, isFirst = true): GrammarNode {
  // Ending here means the digits left out are zeros.
  const mayEnd = !isFirst && from === "" && !open.from && !(to === "" && open.to);
  const choices: GrammarNode[] = mayEnd ? [EMPTY] : [];
  if (left > 0) {
    const low = Number(from[0] ?? 0);
    const high = to === undefined ? 9 : Number(to[0] ?? 0);
    const inner = (lowest: boolean, highest: boolean): GrammarNode =>
      digitsBetween(lowest ? from.slice(1) : "", highest ? to?.slice(1) : undefined, { from: lowest && open.from, to: highest && open.to }, left - 1, false);
    const bounded = to !== undefined;
    if (low === high && bounded) choices.push(seq(digit(low, low), inner(true, true)));
    else if (low <= high) {
      // Only where a lower bound is still followed does the lowest digit differ from those above it.
      const followsLow = from !== "" || open.from;
      const first = followsLow ? low + 1 : low;
      const last = bounded ? high - 1 : high;
      if (followsLow) choices.push(seq(digit(low, low), inner(true, false)));
      if (first <= last) choices.push(seq(digit(first, last), anyDigits(0, left - 1)));
      if (bounded) choices.push(seq(digit(high, high), inner(false, true)));
    }
  }
  return alt(...choices);
}

/** A number that is not negative, its fraction without zeros at the end; no more digits than doubles tell apart, rounded into the bounds. */
function decimal(value: number, round: "up" | "down"): { whole: number; fraction: string } {
  const whole = Math.floor(value);
  const room = Math.max(0, MAX_DIGITS - String(whole).length);
  const exact = value - whole === 0 ? "" : (plainDecimal(value).split(".")[1] ?? "");
  if (exact.length <= room) return { whole, fraction: exact };
  const kept = exact.slice(0, room);
  if (round === "down") return { whole, fraction: kept.replace(/0+$/, "") };
  const raised = String(Number(`1${kept}`) + 1);
  return raised.startsWith("2") ? { whole: whole + 1, fraction: "" } : { whole, fraction: raised.slice(1).replace(/0+$/, "") };
}

/** The shortest decimal that is this double, without an exponent. */
function plainDecimal(value: number): string {
  const [mantissa = "", exponent] = String(value).split("e");
  if (exponent === undefined) return mantissa;
  const [whole = "", fraction = ""] = mantissa.split(".");
  const shift = Number(exponent);
  return shift < 0 ? `0.${"0".repeat(-shift - 1)}${whole}${fraction}` : `${whole}${fraction.padEnd(shift, "0")}`;
}
