import { DeskhandError } from "../../core/errors.js";
import type { Constraint } from "../generate/sampler.js";
import type { Automaton, State } from "./automaton.js";
import type { Vocabulary } from "./vocabulary.js";

/** Lets one sequence of tokens spell a text of a grammar and nothing else, then the end. */
export class GrammarConstraint implements Constraint {
  mask: Int32Array;
  ended = false;
  #state: State;

  constructor(
    private readonly automaton: Automaton,
    private readonly vocabulary: Vocabulary,
  ) {
    this.#state = automaton.start;
    this.mask = vocabulary.mask(automaton, this.#state);
  }

  accept(id: number): Promise<void> {
    if (this.vocabulary.eosTokenIds.includes(id)) this.ended = true;
    else this.#read(id);
    this.mask = this.ended ? new Int32Array(this.mask.length) : this.vocabulary.mask(this.automaton, this.#state);
    return Promise.resolve();
  }

  [Symbol.dispose](): void {
    // It owns no memory but JavaScript's.
  }

  #read(id: number): void {
    const text = this.vocabulary.textOf(id) ?? "";
    for (let at = 0; at < text.length; at++) {
      const next = this.automaton.step(this.#state, text.charCodeAt(at));
      if (next === null) throw new DeskhandError("internal", `Expected a token that the mask allows but token ${id} came.`);
      this.#state = next;
    }
  }
}
