import { NotACall } from "./cursor.js";

/** One call as Python code writes it: positional arguments, then those with a keyword. */
export interface PythonCall {
  name: string;
  positional: unknown[];
  keywords: Record<string, unknown>;
}

const WORDS: Readonly<Record<string, unknown>> = { True: true, False: false, None: null, true: true, false: false, null: null };
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", b: "\b", f: "\f", a: "\x07", v: "\v", "0": "\0", "\n": "", "\\": "\\", "'": "'", '"': '"', "/": "/" };

/** Deeper than any argument is meant; far from what the stack holds. */
const MAX_DEPTH = 200;

/** The value of a Python or JSON literal. @throws NotACall for anything else. */
export function pythonValue(text: string): unknown {
  const reader = new PythonReader(text);
  const value = reader.value();
  reader.finish();
  return value;
}

/** Reads calls and literals from Python code; throws `NotACall` for everything else. Names may have hyphens. */
export class PythonReader {
  private at = 0;
  private depth = 0;

  constructor(private readonly text: string) {}

  /** `[f(a=1), g("x")]`. */
  callList(): PythonCall[] {
    this.require("[");
    const calls = this.list("]", () => this.call());
    this.finish();
    return calls;
  }

  /** Calls as statements, each perhaps printed or assigned to a variable. */
  statements(): PythonCall[] {
    const calls: PythonCall[] = [];
    for (this.take(""); this.at < this.text.length; this.separator()) {
      this.match(/[A-Za-z_]\w*\s*=(?!=)\s*/y);
      const printed = this.match(/print\s*\(\s*/y) !== undefined;
      calls.push(this.call());
      if (printed) this.require(")");
    }
    return calls;
  }

  call(): PythonCall {
    const name = this.match(/[A-Za-z_][\w.-]*/y) ?? fail();
    this.require("(");
    const call: PythonCall = { name: name.replace(/^(default_api|functions)\./, ""), positional: [], keywords: {} };
    this.list(")", () => {
      const keyword = this.match(/[A-Za-z_][\w-]*\s*=(?!=)/y);
      if (keyword !== undefined) define(call.keywords, keyword.slice(0, -1).trim(), this.value());
      else if (Object.keys(call.keywords).length > 0) fail();
      else call.positional.push(this.value());
    });
    return call;
  }

  value(): unknown {
    if (++this.depth > MAX_DEPTH) fail();
    const value = this.anyValue();
    this.depth--;
    return value;
  }

  private anyValue(): unknown {
    this.take("");
    if (this.take("[")) return this.list("]", () => this.value());
    if (this.take("(")) return this.list(")", () => this.value());
    if (this.take("{")) return this.dict();
    if (/['"]/.test(this.text.charAt(this.at))) return this.string();
    const number = this.match(/[+-]?(\d[\d_]*\.?\d*|\.\d+)([eE][+-]?\d+)?(?![\w.])/y);
    if (number !== undefined) return Number(number.replaceAll("_", ""));
    const word = this.match(/[A-Za-z]+(?![\w.(-])/y) ?? fail();
    return Object.hasOwn(WORDS, word) ? WORDS[word] : fail();
  }

  finish(): void {
    this.take("");
    if (this.at < this.text.length) fail();
  }

  private dict(): Record<string, unknown> {
    const entries: Record<string, unknown> = {};
    this.list("}", () => {
      const key = this.value();
      this.require(":");
      define(entries, typeof key === "string" ? key : fail(), this.value());
    });
    return entries;
  }

  private list<T>(close: string, readOne: () => T): T[] {
    const values: T[] = [];
    while (!this.take(close)) {
      values.push(readOne());
      if (!this.take(",")) {
        this.require(close);
        break;
      }
    }
    return values;
  }

  private string(): string {
    let joined = "";
    // Strings side by side are one.
    do joined += this.oneString();
    while (/['"]/.test(this.text.charAt(this.at)));
    return joined;
  }

  private oneString(): string {
    const quote = this.match(/'''|"""|'|"/y) ?? fail();
    let value = "";
    for (;;) {
      if (this.at >= this.text.length) fail();
      if (this.text.startsWith(quote, this.at)) break;
      value += this.match(/\\/y) === undefined ? this.text[this.at++]! : this.escape();
    }
    this.at += quote.length;
    this.take("");
    return value;
  }

  private escape(): string {
    const hex = this.match(/u[\da-fA-F]{4}|x[\da-fA-F]{2}/y);
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex.slice(1), 16));
    const c = this.text.charAt(this.at++);
    return ESCAPES[c] ?? `\\${c}`;
  }

  private separator(): void {
    const end = this.match(/[ \t]*(#[^\n]*)?(;|\n|$)\s*/y);
    if (end === undefined) fail();
  }

  /** Past white space. */
  private take(literal: string): boolean {
    this.match(/\s*/y);
    if (!this.text.startsWith(literal, this.at)) return false;
    this.at += literal.length;
    return true;
  }

  private require(literal: string): void {
    if (!this.take(literal)) fail();
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.text)?.[0];
    this.at += match?.length ?? 0;
    return match;
  }
}

/** A key such as `__proto__` must become a key. */
function define(target: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}

function fail(): never {
  throw new NotACall();
}
