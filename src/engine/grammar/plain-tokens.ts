/**
 * Most tokens are characters that stand for themselves in a string of any notation: whether they may come is a question of their number
 * alone. So they are told apart once, and a string bounded in length needs no look at each of them for every count.
 */

/** Everything but control characters and what some notation writes otherwise in a string: `"`, `\` and `<`. */
const PLAIN = /^[^\p{Cc}"\\<]*$/u;

const PLAIN_ASCII = /^[ !#-;=-[\]-~]*$/;

/** Longer tokens are rare (runs of spaces) and are looked at one by one. */
const LONGEST = 64;

/** The bytes with which a plain character can begin, in UTF-8. */
export const PLAIN_BEGINNINGS: readonly number[] = [...Array(256).keys()].filter((byte) => (byte >= 0x20 && byte < 0x7f && !'"\\<'.includes(String.fromCharCode(byte))) || (byte >= 0xc2 && byte <= 0xf4));

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** How many characters a token has, when all are whole and plain. @param bytes one character each */
export function plainLength(bytes: string): number | undefined {
  if (PLAIN_ASCII.test(bytes)) return bytes.length <= LONGEST ? bytes.length : undefined;
  let text: string;
  try {
    text = decoder.decode(Buffer.from(bytes, "latin1"));
  } catch {
    return undefined; // a part of a character
  }
  const length = [...text].length;
  return length <= LONGEST && PLAIN.test(text) ? length : undefined;
}

/** Masks of the plain tokens by how many characters there is room for. */
export class PlainTokens {
  /** At `n` the tokens of up to `n` characters. */
  readonly #masks: Int32Array[];

  constructor(lengths: Iterable<readonly [id: number, length: number]>, words: number) {
    this.#masks = Array.from({ length: LONGEST + 1 }, () => new Int32Array(words));
    for (const [id, length] of lengths) this.#masks[length]![id >> 5]! |= 1 << (id & 31);
    for (let length = 1; length <= LONGEST; length++) this.#masks[length]!.forEach((_, i, mask) => (mask[i]! |= this.#masks[length - 1]![i]!));
  }

  /** A copy, for more to be added to. */
  within(room: number): Int32Array {
    return this.#masks[Math.min(room, LONGEST)]!.slice();
  }
}
