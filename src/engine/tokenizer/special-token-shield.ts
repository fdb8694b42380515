import { heldSuffixLength } from "../generate/stop-strings.js";

/** Characters of the private use area, which no template and hardly any text contains. */
const FIRST_MARK = 0xe000;
const LAST_MARK = 0xf8ff;

/**
 * Keeps special tokens that a client's text spells from becoming control tokens: inside each occurrence it puts a mark that stops the
 * tokenizer's matching, and `Tokenizer.encode` takes the marks out again once matching is over. The mark stands behind the first character,
 * so templates may trim the text or test how it begins.
 */
export class SpecialTokenShield {
  /** One character that occurs in none of the texts. */
  readonly mark: string;
  readonly #specialTokens: readonly string[];
  readonly #pattern: RegExp | undefined;

  /** @param texts everything that will be protected, so that the mark differs from all of it. */
  constructor(specialTokens: readonly string[], texts: Iterable<string>) {
    // A mark cannot stand inside a single character.
    this.#specialTokens = specialTokens.filter((token) => token.length > 1);
    this.#pattern = this.#specialTokens.length === 0 ? undefined : new RegExp(`(?=${this.#specialTokens.map(escapeRegExp).join("|")})[^]`, "g");
    this.mark = unusedMark(texts);
  }

  /** The text with a mark in every special token it spells; `except` names tokens that stay what they are. */
  protect(text: string, except: readonly string[] = []): string {
    if (this.#pattern === undefined) return text;
    const marked = text.replaceAll(this.#pattern, (first: string, at: number) => (except.some((token) => text.startsWith(token, at)) ? first : first + this.mark));
    return this.#closeEnd(marked);
  }

  /** `protect` for every string in a JSON value, keys included. */
  protectAll(value: unknown): unknown {
    if (typeof value === "string") return this.protect(value);
    if (Array.isArray(value)) return value.map((entry) => this.protectAll(entry));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [this.protect(key), this.protectAll(entry)]));
  }

  /** A token may begin in one part of a message and end in the next. Only the `<|` and `[` kinds count: a word's last letters are no beginning. */
  #closeEnd(text: string): string {
    const length = Math.max(0, ...this.#specialTokens.filter((token) => /^[^\p{L}\p{N}\s]/u.test(token)).map((token) => heldSuffixLength(text, token)));
    if (length === 0) return text;
    const at = text.length - length + 1;
    return text.slice(0, at) + this.mark + text.slice(at);
  }
}

function unusedMark(texts: Iterable<string>): string {
  const used = new Set<string>();
  for (const text of texts) for (const [character] of text.matchAll(/[\ue000-\uf8ff]/g)) used.add(character);
  for (let code = FIRST_MARK; code < LAST_MARK; code++) {
    const mark = String.fromCharCode(code);
    if (!used.has(mark)) return mark;
  }
  return String.fromCharCode(LAST_MARK);
}

function escapeRegExp(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}
