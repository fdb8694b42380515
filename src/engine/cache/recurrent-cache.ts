import { DeskhandError } from "../../core/errors.js";
import { disposeAll, retain, type Tensor } from "../mlx/index.js";
import type { LayerState, StateCache } from "./layer-cache.js";

/** A running summary of the rows seen. */
export interface RecurrentState {
  /** The last inputs of the causal convolution, `[B, kernel − 1, C]`. */
  conv: Tensor;
  /** The memory of the recurrence. */
  memory: Tensor;
}

/** The state of a recurrent layer. It replaces itself with each row, so there is no way back: only to where it stands. */
export class RecurrentCache implements StateCache {
  readonly isState = true;
  #state: RecurrentState | undefined;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The state after the rows so far; none before the first. */
  get state(): RecurrentState | undefined {
    return this.#state;
  }

  /** Puts the state after `rows` more rows in the place of the last. */
  advance(rows: number, { conv, memory }: RecurrentState): void {
    disposeAll(this.tensors());
    this.#state = { conv: retain(conv), memory: retain(memory) };
    this.#length += rows;
  }

  canTrim(length: number): boolean {
    return length === this.#length;
  }

  trim(length: number): void {
    if (!this.canTrim(length)) throw new DeskhandError("internal", `Expected to keep all ${this.#length} rows of a recurrent state but received ${length}.`);
  }

  fork(length: number): RecurrentCache {
    const fork = new RecurrentCache();
    if (this.#state !== undefined) fork.#state = { conv: retain(this.#state.conv.alias()), memory: retain(this.#state.memory.alias()) };
    fork.#length = this.#length;
    fork.trim(length);
    return fork;
  }

  save(): LayerState {
    return { tensors: this.tensors(), counters: [this.#length] };
  }

  restore({ tensors: [conv, memory], counters: [length] }: LayerState): void {
    this.#state = conv && memory && { conv: retain(conv), memory: retain(memory) };
    this.#length = length ?? 0;
  }

  sizing(): (rows: number) => number {
    const bytes = this.tensors().reduce((sum, { nbytes }) => sum + nbytes, 0);
    return () => bytes;
  }

  tensors(): Tensor[] {
    return this.#state === undefined ? [] : [this.#state.conv, this.#state.memory];
  }

  [Symbol.dispose](): void {
    disposeAll(this.tensors());
    this.#state = undefined;
    this.#length = 0;
  }
}
