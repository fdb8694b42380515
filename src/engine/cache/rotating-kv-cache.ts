import { DeskhandError } from "../../core/errors.js";
import { concatenate, disposeAll, retain, slice, type Tensor } from "../mlx/index.js";
import { writeRows } from "./kv-cache.js";
import type { AttentionCache, LayerState, StateCache } from "./layer-cache.js";

/**
 * Keys and values of one sliding-window layer, `[B, H, rows, D]` each, of which only the last `window` rows are kept: the row of
 * position p lies at p mod window. Keys carry their positions in their rotation, so their order does not matter to attention.
 */
export class RotatingKVCache implements AttentionCache, StateCache {
  readonly isState = true;
  readonly window: number;
  #keys: Tensor | undefined;
  #values: Tensor | undefined;
  #length = 0;
  /** Position of the oldest row kept. */
  #first = 0;

  constructor(window: number) {
    this.window = window;
  }

  get length(): number {
    return this.#length;
  }

  /** How many rows before new ones `update` gives back together with them: what the first of the new rows may see. */
  before(rows: number): number {
    return this.#length + rows <= this.window ? this.#length : Math.min(this.#length, this.window - 1);
  }

  /**
   * Adds rows `[B, H, L, D]`. Several rows come back behind the `before(L)` rows in front of them, in order: the caller masks what
   * lies outside each row's window. A single row comes back among all that it may see, in any order. The result belongs to the current scope.
   */
  update(keys: Tensor, values: Tensor): { keys: Tensor; values: Tensor } {
    const rows = keys.dim(2);
    const start = this.#length;
    const end = start + rows;
    const past = this.before(rows);
    this.#length = end;
    if (rows > 1 && end > this.window) {
      const all = { keys: joined(this.#keys, keys, start, past, this.window), values: joined(this.#values, values, start, past, this.window) };
      this.#keep(all, end);
      return all;
    }
    this.#keys = writeRows(this.#keys, keys, start % this.window, this.window);
    this.#values = writeRows(this.#values, values, start % this.window, this.window);
    this.#first = Math.max(this.#first, end - this.window);
    const held = Math.min(end, this.window);
    return { keys: slice(this.#keys, 2, 0, held), values: slice(this.#values, 2, 0, held) };
  }

  /** While nothing that row `length` would see has been let go of. */
  canTrim(length: number): boolean {
    return length <= this.#length && Math.max(0, length - this.window + 1) >= this.#first;
  }

  trim(length: number): void {
    if (length < 0 || !this.canTrim(length)) throw new DeskhandError("internal", `Expected to keep cache rows whose window is still there (of ${this.#length}, from ${this.#first} on) but received ${length}.`);
    this.#length = length;
  }

  fork(length: number): RotatingKVCache {
    const fork = new RotatingKVCache(this.window);
    fork.#keys = this.#keys && retain(this.#keys.alias());
    fork.#values = this.#values && retain(this.#values.alias());
    fork.#length = this.#length;
    fork.#first = this.#first;
    fork.trim(length);
    return fork;
  }

  save(): LayerState {
    return { tensors: this.tensors(), counters: [this.#length, this.#first] };
  }

  restore({ tensors: [keys, values], counters: [length, first] }: LayerState): void {
    this.#keys = keys && retain(keys);
    this.#values = values && retain(values);
    this.#length = length ?? 0;
    this.#first = first ?? 0;
  }

  sizing(): (rows: number) => number {
    const perRow = this.tensors().reduce((sum, held) => sum + held.nbytes / held.dim(2), 0);
    return (rows) => perRow * Math.min(rows, this.window);
  }

  tensors(): Tensor[] {
    return this.#keys === undefined || this.#values === undefined ? [] : [this.#keys, this.#values];
  }

  [Symbol.dispose](): void {
    disposeAll(this.tensors());
    this.#keys = this.#values = undefined;
    this.#length = this.#first = 0;
  }

  /** Lets go of all but the last rows of `all`, which ends at position `end`. */
  #keep(all: { keys: Tensor; values: Tensor }, end: number): void {
    disposeAll(this.tensors());
    const from = end % this.window;
    // Copies, so that what is let go of is freed.
    const turned = (rows: Tensor): Tensor => {
      const cut = rows.dim(2) - from;
      const oldest = slice(rows, 2, rows.dim(2) - this.window, cut);
      return from === 0 ? writeRows(undefined, oldest, 0, this.window) : retain(concatenate([slice(rows, 2, cut), oldest], 2));
    };
    this.#keys = turned(all.keys);
    this.#values = turned(all.values);
    this.#first = end - this.window;
  }
}

/** The `past` rows before position `start`, in order, and `rows` after them. */
function joined(buffer: Tensor | undefined, rows: Tensor, start: number, past: number, window: number): Tensor {
  if (buffer === undefined || past === 0) return rows;
  const from = (start - past) % window;
  const to = from + past;
  const pieces = to <= window ? [slice(buffer, 2, from, to)] : [slice(buffer, 2, from, window), slice(buffer, 2, 0, to - window)];
  return concatenate([...pieces, rows], 2);
}
