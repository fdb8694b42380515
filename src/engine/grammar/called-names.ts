import type { Constraint } from "../generate/sampler.js";
import type { Tokenizer } from "../tokenizer/tokenizer.js";
import type { ToolCallFormat } from "../tools/format.js";
import { Automaton, type State } from "./automaton.js";
import { callRules, isCallableName } from "./call-rules.js";
import { freeText } from "./free-text.js";
import { literal, seq, words } from "./node.js";
import type { Vocabulary } from "./vocabulary.js";

const NAME = "NAME";

/** What a format writes about a function's name. */
export interface NamePlace {
  /** Up to it, without white space; one character a byte. */
  before: string;
  /** The character after it. */
  behind: string;
}

/** Where the name of a call's function stands; `undefined` where no mark tells a call from text, or one is followed by a line of code and not by a name at once. */
export function namePlace(format: ToolCallFormat): NamePlace | undefined {
  const [before, rest] = format.render([{ name: NAME, arguments: "{}" }]).split(NAME);
  const behind = rest?.[0];
  const [taught] = format.blocks(callRules({ tools: [{ name: NAME }], isStrict: () => false, parallel: false, nameOf: () => NAME }));
  if (before === undefined || behind === undefined || /\s$/.test(before) || isCallableName(behind) || !taught?.opening) return undefined;
  return { before: Buffer.from(before.replace(/\s/g, "")).toString("latin1"), behind };
}

/** What may stand from the beginning of a name on. @param names `isCallableName` each */
export function namesAutomaton(names: readonly string[], { behind }: NamePlace): Automaton {
  // What follows is free: a token may hold the end of a name and the beginning of what comes next.
  return new Automaton(seq(words(names.map((name) => [name, literal(behind)])), freeText({ marks: [], mayEnd: true })));
}

/**
 * Lets everything come, but where a call begins nothing except a function that there is: a model cannot call what nobody has, nor misspell it. The
 * arguments and whether to call at all stay the model's.
 */
export class CalledNames implements Constraint {
  readonly ended = false;
  mask: Int32Array | undefined;
  #state: State | undefined;
  /** The latest characters (one a byte) without white space, as many as come before a name. */
  #latest = "";

  constructor(
    private readonly place: NamePlace,
    private readonly names: Automaton,
    private readonly tokenizer: Tokenizer,
    private readonly vocabulary: () => Vocabulary,
  ) {}

  accept(id: number): Promise<void> {
    for (const byte of this.tokenizer.bytesOf(id)) this.#read(byte);
    this.mask = this.#state === undefined ? undefined : this.vocabulary().mask(this.names, this.#state);
    return Promise.resolve();
  }

  [Symbol.dispose](): void {
    // It owns no memory but JavaScript's.
  }

  #read(byte: number): void {
    const character = String.fromCharCode(byte);
    if (this.#state !== undefined) {
      // A token that held the beginning of a call and more was not held to anything.
      this.#state = character === this.place.behind ? undefined : (this.names.step(this.#state, byte) ?? undefined);
      return;
    }
    if (/\s/.test(character)) return;
    this.#latest = (this.#latest + character).slice(-this.place.before.length);
    if (this.#latest !== this.place.before) return;
    this.#latest = "";
    this.#state = this.names.start;
  }
}
