import { alt, EMPTY, seq, type GrammarNode } from "./node.js";

export interface FreeTextOptions {
  /** What has to follow once one of these marks has been written; none a part of another. `NEVER` forbids a mark. */
  marks: Iterable<readonly [mark: string, then: GrammarNode]>;
  /** The text may end before a mark comes. */
  mayEnd?: boolean;
  /** After what followed a mark the text goes on. */
  goesOn?: boolean;
  /** Characters (ASCII) that the text must not begin with, white space passed over. */
  notFirst?: string;
}

/** Any text up to and with the first of some marks, and what has to follow it. */
export function freeText(options: FreeTextOptions): GrammarNode {
  return new Text(options).rest(0, true);
}

/** States after reading each beginning of a mark, as Aho and Corasick build them. */
class Text {
  readonly #mayEnd: boolean;
  readonly #goesOn: boolean;
  readonly #notFirst: ReadonlySet<number>;
  readonly #next = [new Map<number, number>()];
  readonly #fail: number[] = [0];
  readonly #then: (GrammarNode | undefined)[] = [undefined];
  /** By state: what the rest of the text is there. */
  readonly #rest = new Map<number, GrammarNode>();
  readonly #first = new Map<number, GrammarNode>();

  constructor({ marks, mayEnd = false, goesOn = false, notFirst = "" }: FreeTextOptions) {
    this.#mayEnd = mayEnd;
    this.#goesOn = goesOn;
    this.#notFirst = new Set(new TextEncoder().encode(notFirst));
    for (const [mark, then] of marks) this.#then[this.#add(mark)] = then;
    const queue = [...this.#next[0]!.values()];
    for (const state of queue) {
      for (const [byte, next] of this.#next[state]!) {
        this.#fail[next] = this.#move(this.#fail[state]!, byte);
        queue.push(next);
      }
    }
  }

  /** What follows the marks. */
  get parts(): GrammarNode[] {
    return this.#then.filter((then) => then !== undefined);
  }

  get mayEnd(): boolean {
    return this.#mayEnd;
  }

  /** @param isFirst nothing but white space has come. */
  rest(state: number, isFirst: boolean): GrammarNode {
    const known = isFirst ? this.#first : this.#rest;
    const found = known.get(state);
    if (found !== undefined) return found;
    const then = this.#then[state];
    const text = new TextNode(this, state, isFirst);
    const rest = then === undefined ? (this.#mayEnd ? alt(EMPTY, text) : text) : this.#goesOn ? seq(then, this.rest(0, false)) : then;
    known.set(state, rest);
    return rest;
  }

  step(state: number, isFirst: boolean, byte: number): GrammarNode | undefined {
    if (isFirst && this.#notFirst.has(byte)) return undefined;
    const isSpace = byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
    return this.rest(this.#move(state, byte), isFirst && isSpace);
  }

  #add(mark: string): number {
    let state = 0;
    for (const byte of new TextEncoder().encode(mark)) {
      const next = this.#next[state]!.get(byte) ?? this.#next.push(new Map<number, number>()) - 1;
      this.#next[state]!.set(byte, next);
      this.#fail[next] ??= 0;
      state = next;
    }
    return state;
  }

  #move(from: number, byte: number): number {
    for (let state = from; ; state = this.#fail[state]!) {
      const next = this.#next[state]!.get(byte);
      if (next !== undefined || state === 0) return next ?? 0;
    }
  }
}

class TextNode implements GrammarNode {
  constructor(
    private readonly text: Text,
    private readonly state: number,
    private readonly isFirst: boolean,
  ) {}

  get parts(): readonly GrammarNode[] {
    return this.text.parts;
  }

  step(byte: number): GrammarNode | undefined {
    return this.text.step(this.state, this.isFirst, byte);
  }

  ends(known: ReadonlySet<GrammarNode>): boolean {
    return this.text.mayEnd || this.parts.some((part) => known.has(part));
  }
}
