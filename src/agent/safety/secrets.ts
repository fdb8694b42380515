import { DeskhandError } from "../../core/errors.js";
import type { Action } from "../actions.js";
import { typeableCharacters } from "../computer/typed-text.js";
import { Redactor, type Spelling } from "./redactor.js";
import { placeholderOf, secretNames, splitSecrets } from "./secret-text.js";
import { spellingsOf } from "./spellings.js";

/** A shorter value occurs by chance: keeping it out of a recording would make that unreadable, and tell it by what is missing. */
const MIN_CHARACTERS = 4;

/** Where secrets come from; see `secret-sources.ts`. */
export type SecretSource = (name: string, signal: AbortSignal) => Promise<string>;

/** A text to be typed, in parts. */
export interface TypedPart {
  value: string;
  /** Whether it must not be seen. */
  secret: boolean;
}

/** The secrets of one run: those that the task names and no others, whatever a model or a screen asks for. */
export class Secrets {
  readonly #values: ReadonlyMap<string, string>;
  /** All spellings in which a value may turn up, with what to write instead. */
  readonly #spellings: readonly Spelling[];

  private constructor(values: ReadonlyMap<string, string>) {
    this.#values = values;
    this.#spellings = [...values].flatMap(([name, value]) => [...spellingsOf(value)].map((spelling) => [spelling, placeholderOf(name)] as const));
  }

  /** @throws DeskhandError `invalid_argument` when a secret cannot be had, or cannot be typed or kept. Its value is in no message. */
  static async load(task: string, source: SecretSource, signal: AbortSignal): Promise<Secrets> {
    const values = new Map<string, string>();
    for (const name of namesInTask(task)) {
      const value = await source(name, signal);
      checkValue(name, value);
      values.set(name, value);
    }
    return new Secrets(values);
  }

  /** @throws DeskhandError `model_output` for a placeholder that is spelt wrong or that the task does not have. */
  check(action: Action): void {
    if (action.type !== "type") return;
    const other = secretNames(action.text).find((name) => !this.#values.has(name));
    if (other !== undefined) throw new DeskhandError("model_output", `Expected only secrets that the task names (${[...this.#values.keys()].map(placeholderOf).join(", ") || "it names none"}) but received ${placeholderOf(other)}.`);
  }

  /** What to type for a text that passed `check`. */
  reveal(text: string): TypedPart[] {
    return splitSecrets(text).map((part) => ("plain" in part ? { value: part.plain, secret: false } : { value: this.#values.get(part.secret)!, secret: true }));
  }

  /** The same with a placeholder for every secret in any of its texts. Pictures in data URIs stay as they are. */
  redact<T>(value: T): T {
    return this.#spellings.length === 0 ? value : (mapTexts(value, (text) => this.#redactText(text)) as T);
  }

  /**
   * The same for a reply, of which the end may be missing: neither the beginning of a value is left there, as far as it can be told from
   * other text.
   */
  redactReply<T extends { finishReason?: string }>(reply: T): T {
    const clean = this.redact(reply);
    const isWhole = clean.finishReason !== undefined && clean.finishReason !== "length";
    return isWhole || this.#spellings.length === 0 ? clean : (mapTexts(clean, (text) => this.#withoutTail(text)) as T);
  }

  /** The same for a text that comes in pieces. */
  redactor(): Redactor {
    return new Redactor(this.#spellings);
  }

  #redactText(text: string): string {
    const redactor = this.redactor();
    return redactor.push(text) + redactor.end();
  }

  /** A text that was cut off, without a beginning of a value at its end. */
  #withoutTail(text: string): string {
    let tail: Spelling = ["", ""];
    for (const [spelling, placeholder] of this.#spellings) {
      for (let length = spelling.length - 1; length >= MIN_CHARACTERS && length > tail[0].length; length--) {
        if (text.endsWith(spelling.slice(0, length))) tail = [spelling.slice(0, length), placeholder];
      }
    }
    return text.slice(0, text.length - tail[0].length) + tail[1];
  }
}

/** Every text in a value changed. Pictures in data URIs stay as they are. */
function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === "string") return value.startsWith("data:image/") ? value : change(value);
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, change));
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapTexts(item, change)]));
}

function namesInTask(task: string): string[] {
  try {
    return secretNames(task);
  } catch (cause) {
    throw new DeskhandError("invalid_argument", `The task is not valid. ${(cause as Error).message}`, { cause, param: "task" });
  }
}

function checkValue(name: string, value: string): void {
  const fail = (what: string) => new DeskhandError("invalid_argument", `Expected the secret ${name} to ${what}. Change it, or do without a placeholder for it.`, { param: "task" });
  if ([...value].length < MIN_CHARACTERS) throw fail(`have at least ${MIN_CHARACTERS} characters, so that it can be told from other text and kept out of the recording, but it is shorter`);
  if (/[\r\n\t]/.test(value)) throw fail("be one line without tabs, because these would press keys, but it is not");
  try {
    typeableCharacters(value);
  } catch {
    throw fail("be text that a keyboard can type, but it holds control characters");
  }
}
