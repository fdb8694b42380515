/** A text to keep out, and what stands in its place. */
export type Spelling = readonly [text: string, placeholder: string];

/** A stretch of text that is kept out. `length` is that of the longest spelling found in it, whose placeholder it gets. */
interface Span {
  start: number;
  end: number;
  placeholder: string;
  length: number;
}

/**
 * Keeps spellings out of a text that comes in pieces: what may turn out to be part of one is held back until that is known. Spellings
 * that overlap go together, so that no rest of either stays. The pieces that come out are, joined, the same however the text was cut.
 */
export class Redactor {
  readonly #spellings: readonly Spelling[];
  readonly #longest: number;
  #held = "";
  /** The stretch that `#held` begins with the end of, if it does. */
  #open: Span | undefined;

  constructor(spellings: readonly Spelling[]) {
    this.#spellings = spellings;
    this.#longest = Math.max(0, ...spellings.map(([text]) => text.length));
  }

  /** @returns what can be told of the text so far and has not been. */
  push(piece: string): string {
    this.#held += piece;
    return this.#tellUpTo(this.#firstUndecided());
  }

  /** @returns the rest; then a new text may begin. */
  end(): string {
    return this.#tellUpTo(this.#held.length);
  }

  #tellUpTo(cut: number): string {
    if (cut === 0) return "";
    let told = "";
    let at = 0;
    let open: Span | undefined;
    for (const span of this.#spans()) {
      // One that begins behind the cut is found again.
      if (span.start >= cut) break;
      told += this.#held.slice(at, span.start);
      at = Math.min(span.end, cut);
      if (span.end > cut) open = { ...span, start: 0, end: span.end - cut };
      else told += span.placeholder;
    }
    told += this.#held.slice(at, cut);
    this.#held = this.#held.slice(cut);
    this.#open = open;
    return told;
  }

  /** Where the first spelling may begin that is not whole yet. */
  #firstUndecided(): number {
    const { length } = this.#held;
    for (let start = Math.max(0, length - this.#longest + 1); start < length; start++) {
      const rest = this.#held.slice(start);
      if (this.#spellings.some(([text]) => text.length > rest.length && text.startsWith(rest))) return start;
    }
    return length;
  }

  /** In order, those that overlap as one. */
  #spans(): Span[] {
    const found: Span[] = this.#open ? [this.#open] : [];
    for (const [text, placeholder] of this.#spellings) {
      for (let start = this.#held.indexOf(text); start >= 0; start = this.#held.indexOf(text, start + 1)) found.push({ start, end: start + text.length, placeholder, length: text.length });
    }
    const spans: Span[] = [];
    for (const span of found.sort((a, b) => a.start - b.start)) {
      const last = spans.at(-1);
      if (!last || span.start >= last.end) spans.push(span);
      else spans[spans.length - 1] = { ...(span.length > last.length ? span : last), start: last.start, end: Math.max(last.end, span.end) };
    }
    return spans;
  }
}
