import { heldSuffixLength } from "../generate/stop-strings.js";

/** Thrown while reading: the text so far cannot tell. */
export class NeedMore extends Error {}
/** Thrown while reading: this is no call. */
export class NotACall extends Error {}

const NAME = /[\w.-]*/y;
const SPACE = /\s*/y;

/**
 * Reads marks and values from text that may still be growing. Where the text so far cannot tell, `NeedMore` is thrown, so what was once
 * read stays the same however much is added; with `isWhole` nothing more comes, and what is cut short is taken as it is.
 */
export class Cursor {
  at = 0;

  constructor(
    readonly text: string,
    readonly isWhole: boolean,
  ) {}

  /** Whether the text goes on with this. */
  is(literal: string): boolean {
    if (this.text.startsWith(literal, this.at)) return true;
    if (!this.isWhole && literal.startsWith(this.text.slice(this.at))) throw new NeedMore();
    return false;
  }

  take(literal: string): boolean {
    if (!this.is(literal)) return false;
    this.at += literal.length;
    return true;
  }

  /** `take` past white space, which stays where it is when the literal does not follow. */
  takeAfterSpace(literal: string): boolean {
    const before = this.at;
    this.space();
    if (this.take(literal)) return true;
    this.at = before;
    return false;
  }

  require(literal: string): void {
    if (!this.take(literal)) throw new NotACall();
  }

  space(): void {
    this.run(SPACE);
  }

  /** A function's name. */
  name(): string {
    const name = this.run(NAME);
    if (this.at === this.text.length && !this.isWhole) throw new NeedMore();
    if (name === "") throw new NotACall();
    return name;
  }

  /** Everything before the first of these, or before the beginning of one that is cut short. */
  until(...ends: string[]): string {
    const found = ends.map((end) => this.text.indexOf(end, this.at)).filter((at) => at !== -1);
    if (found.length === 0 && !this.isWhole) throw new NeedMore();
    const start = this.at;
    if (found.length > 0) {
      this.at = Math.min(...found);
      return this.text.slice(start, this.at);
    }
    this.at = this.text.length;
    const rest = this.text.slice(start);
    return rest.slice(0, rest.length - Math.max(...ends.map((end) => heldSuffixLength(rest, end))));
  }

  /** A bracketed value, brackets in strings not counted. Where its end is missing, it goes to the first of `ends`. */
  bracketed(open: string, { quotes = '"', ends = [] }: { quotes?: string; ends?: readonly string[] } = {}): string {
    if (!this.is(open)) throw new NotACall();
    const start = this.at;
    let depth = 0;
    let quote = "";
    for (let i = start; i < this.text.length; i++) {
      const c = this.text[i]!;
      if (quote !== "") {
        if (c === "\\") i++;
        else if (c === quote) quote = "";
      } else if (quotes.includes(c)) quote = c;
      else if ("([{".includes(c)) depth++;
      else if (")]}".includes(c) && --depth === 0) {
        this.at = i + 1;
        return this.text.slice(start, this.at);
      }
    }
    if (!this.isWhole) throw new NeedMore();
    if (ends.length > 0) return this.until(...ends);
    this.at = this.text.length;
    return this.text.slice(start);
  }

  /** One after another, as many as there are; a bad one after good ones ends the row before it. */
  repeat<T>(readOne: () => T | undefined): T[] {
    const values: T[] = [];
    for (;;) {
      const before = this.at;
      try {
        const value = readOne();
        if (value === undefined) return values;
        values.push(value);
      } catch (error) {
        if (!(error instanceof NotACall) || values.length === 0) throw error;
        this.at = before;
        return values;
      }
    }
  }

  private run(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const [match] = pattern.exec(this.text)!;
    this.at += match.length;
    return match;
  }
}
