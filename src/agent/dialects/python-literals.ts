import { DeskhandError } from "../../core/errors.js";
import { quote } from "./quote.js";

/** A Python literal as JSON has it; tuples are lists. */
export type Literal = string | number | boolean | null | Literal[] | { [key: string]: Literal };

/** `name(1, b='two')`; of a dotted name the last part. */
export interface PythonCall {
  name: string;
  positional: Literal[];
  named: Record<string, Literal>;
}

/** What was read, and where the rest begins. */
export interface Read<T> {
  value: T;
  end: number;
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", "\\": "\\", "'": "'", '"': '"', "\n": "", 0: "\0" };
const CONSTANTS: Readonly<Record<string, Literal>> = { True: true, False: false, None: null, true: true, false: false, null: null };
/** What follows a quotation mark that ends a string, where models forget to escape those inside. */
const AFTER_STRING = /^\s*(?:\)\s*(?:$|\n|`|<|\[EOS)|,\s*\w+\s*=|[,:]\s*['"[{(\d-]|[\]}])/;

/**
 * Reads the call that begins at `start`.
 * @throws DeskhandError `model_output` when there is none.
 */
export function readCall(text: string, start: number): Read<PythonCall> {
  return readEitherWay(text, start, (reader) => reader.call());
}

/** Reads the literal that begins at `start`. @throws DeskhandError `model_output`. */
export function readLiteral(text: string, start: number): Read<Literal> {
  return readEitherWay(text, start, (reader) => reader.value());
}

/** As Python reads it; only if that fails, with quotation marks inside strings that are not escaped. */
function readEitherWay<T>(text: string, start: number, read: (reader: Reader) => T): Read<T> {
  try {
    const reader = new Reader(text, start, false);
    return { value: read(reader), end: reader.position };
  } catch (error) {
    try {
      const reader = new Reader(text, start, true);
      return { value: read(reader), end: reader.position };
    } catch {
      throw error;
    }
  }
}

class Reader {
  position: number;
  readonly #text: string;
  readonly #lenient: boolean;

  constructor(text: string, start: number, lenient: boolean) {
    this.#text = text;
    this.position = start;
    this.#lenient = lenient;
  }

  call(): PythonCall {
    const name = this.#match(/\s*((?:\w+\.)*)([A-Za-z_]\w*)\s*\(/y, "a call")[2]!;
    const call: PythonCall = { name, positional: [], named: {} };
    this.#list(")", () => {
      const key = this.#try(/\s*([A-Za-z_]\w*)\s*=/y)?.[1];
      if (key === undefined) call.positional.push(this.value());
      else if (Object.hasOwn(call.named, key)) throw this.#expected(`one ${key}`);
      else call.named[key] = this.value();
    });
    return call;
  }

  value(): Literal {
    this.#try(/\s+/y);
    const char = this.#text[this.position];
    if (char === "'" || char === '"') return this.#string();
    if (this.#try(/\[/y)) return this.#items("]");
    if (this.#try(/\(/y)) return this.#items(")");
    if (this.#try(/\{/y)) return this.#dict();
    const number = this.#try(/[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.])/y);
    if (number) return Number(number[0]);
    const constant = CONSTANTS[this.#match(/[A-Za-z]+(?!\w)/y, "a value")[0]];
    if (constant === undefined) throw this.#expected("a value");
    return constant;
  }

  #items(close: string): Literal[] {
    const items: Literal[] = [];
    this.#list(close, () => items.push(this.value()));
    return items;
  }

  #dict(): Literal {
    const entries: [string, Literal][] = [];
    this.#list("}", () => {
      const key = this.value();
      if (typeof key !== "string") throw this.#expected("a name in quotation marks");
      this.#match(/\s*:/y, "a colon");
      entries.push([key, this.value()]);
    });
    return Object.fromEntries(entries);
  }

  /** Items with commas between them, one after the last allowed. */
  #list(close: string, readItem: () => void): void {
    const end = new RegExp(`\\s*\\${close}`, "y");
    while (!this.#try(end)) {
      readItem();
      if (!this.#try(/\s*,/y)) {
        this.#match(end, `"," or "${close}"`);
        return;
      }
    }
  }

  #string(): string {
    const mark = this.#match(/'''|"""|'|"/y, "a string")[0];
    let value = "";
    for (;;) {
      const char = this.#text[this.position];
      if (char === undefined) throw this.#expected(`a closing ${mark}`);
      if (char === "\\") {
        value += this.#escape();
      } else if (this.#text.startsWith(mark, this.position) && this.#closes(mark)) {
        this.position += mark.length;
        return value;
      } else {
        value += char;
        this.position += 1;
      }
    }
  }

  #closes(mark: string): boolean {
    return !this.#lenient || AFTER_STRING.test(this.#text.slice(this.position + mark.length));
  }

  /** Python leaves the backslash of an escape that it does not know. */
  #escape(): string {
    const code = this.#try(/\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/y);
    if (code) {
      const codePoint = Number.parseInt((code[1] ?? code[2] ?? code[3])!, 16);
      if (codePoint > 0x10ffff) throw this.#expected("a Unicode character");
      return String.fromCodePoint(codePoint);
    }
    const char = this.#text[this.position + 1];
    if (char === undefined) throw this.#expected("a character after the backslash");
    this.position += 2;
    return ESCAPES[char] ?? `\\${char}`;
  }

  #try(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.position;
    const found = pattern.exec(this.#text);
    if (found) this.position = pattern.lastIndex;
    return found;
  }

  #match(pattern: RegExp, what: string): RegExpExecArray {
    const found = this.#try(pattern);
    if (!found) throw this.#expected(what);
    return found;
  }

  #expected(what: string): DeskhandError {
    const rest = this.#text.slice(this.position);
    return new DeskhandError("model_output", `Expected ${what} but received ${rest.trim() === "" ? "the end of the reply" : quote(rest)}.`);
  }
}
