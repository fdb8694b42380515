import { heldSuffixLength } from "../generate/stop-strings.js";

/**
 * Keeps a format's marks out of content: those of calls that cannot be read, stray ones, and one that the end of the answer cuts in half.
 * Everything else stays. What is let through depends only on the whole text, never on how it was cut.
 */
export class MarkFilter {
  /** What may be the beginning of a mark. */
  private held = "";
  /** The end of what was let through, one character shorter than the longest mark. */
  private tail = "";

  /** @param tags are let through whole: text where no call can be read. Half of one is not. */
  constructor(
    private readonly marks: readonly string[],
    private readonly tags: readonly string[] = [],
  ) {}

  /** What is certain to be no mark. */
  feed(text: string): string {
    let rest = this.held + text;
    let shown = "";
    for (let at = this.firstMark(rest); at !== undefined; at = this.firstMark(rest)) {
      shown += this.let(rest.slice(0, at.start)) + this.gap();
      rest = rest.slice(at.end);
    }
    const held = Math.max(0, ...[...this.marks, ...this.tags].map((mark) => heldSuffixLength(rest, mark)));
    this.held = rest.slice(rest.length - held);
    return shown + this.let(rest.slice(0, rest.length - held));
  }

  /** What was held back, where a call follows or nothing; half a mark or more of one is dropped. */
  flush(): string {
    const rest = this.held;
    this.held = "";
    return [...this.marks, ...this.tags].some((mark) => mark.startsWith(rest) && 2 * rest.length >= mark.length) ? "" : this.let(rest);
  }

  private firstMark(text: string): { start: number; end: number } | undefined {
    const found = this.marks.map((mark) => ({ start: text.indexOf(mark), end: text.indexOf(mark) + mark.length })).filter(({ start }) => start !== -1);
    return found.sort((a, b) => a.start - b.start)[0];
  }

  /** What stands before and behind a mark that is taken away must not become one. */
  private gap(): string {
    return this.marks.some((mark) => heldSuffixLength(this.tail, mark) > 0) ? this.let(" ") : "";
  }

  private let(text: string): string {
    const longest = Math.max(0, ...this.marks.map(({ length }) => length));
    this.tail = (this.tail + text).slice(-longest);
    return text;
  }
}
