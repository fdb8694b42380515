import { DeskhandError } from "../../core/errors.js";
import { concatenate, disposeAll, retain, scope, slice, sliceUpdate, zeros, type Tensor } from "../mlx/index.js";
import type { AttentionCache } from "./layer-cache.js";

/** Neighbouring rows of one layer, `[B, H, n, D]` each. */
export interface KeyValueRows {
  keys: Tensor;
  values: Tensor;
}

/** Rows are added in blocks of this many, so that a step rarely moves memory. */
const BLOCK = 256;

/**
 * Keys and values of one layer, `[B, H, length, D]` each, grown in blocks. A step writes in place: the old buffer is given up
 * before the graph runs, so MLX reuses it.
 */
export class KVCache implements AttentionCache {
  readonly isState = false;
  #keys: Tensor | undefined;
  #values: Tensor | undefined;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  before(): number {
    return this.#length;
  }

  /** Adds rows `[B, H, L, D]` and returns all rows so far. The result belongs to the current scope. */
  update(keys: Tensor, values: Tensor): { keys: Tensor; values: Tensor } {
    const end = this.#length + keys.dim(2);
    this.#keys = writeRows(this.#keys, keys, this.#length);
    this.#values = writeRows(this.#values, values, this.#length);
    this.#length = end;
    return { keys: slice(this.#keys, 2, 0, end), values: slice(this.#values, 2, 0, end) };
  }

  canTrim(length: number): boolean {
    return length <= this.#length;
  }

  trim(length: number): void {
    if (length < 0 || length > this.#length) throw new DeskhandError("internal", `Expected to keep between 0 and ${this.#length} cache rows but received ${length}.`);
    this.#length = length;
  }

  fork(length: number): KVCache {
    return KVCache.of([this.rows(0, length)]);
  }

  /** The rows [start, end). The result belongs to the current scope. */
  rows(start: number, end: number): KeyValueRows {
    if (this.#keys === undefined || this.#values === undefined || end > this.#length) throw new DeskhandError("internal", `Expected cache rows up to ${end} but there are ${this.#length}.`);
    return { keys: slice(this.#keys, 2, start, end), values: slice(this.#values, 2, start, end) };
  }

  /** A cache that holds copies of these rows, one piece after the other. */
  static of(pieces: readonly KeyValueRows[]): KVCache {
    const cache = new KVCache();
    const joined = (rows: Tensor[]): Tensor => (rows.length === 1 ? rows[0]! : concatenate(rows, 2));
    scope(() => {
      cache.#keys = writeRows(undefined, joined(pieces.map(({ keys }) => keys)), 0);
      cache.#values = writeRows(undefined, joined(pieces.map(({ values }) => values)), 0);
    });
    cache.#length = pieces.reduce((sum, { keys }) => sum + keys.dim(2), 0);
    return cache;
  }

  sizing(): (rows: number) => number {
    const perRow = this.tensors().reduce((sum, held) => sum + held.nbytes / held.dim(2), 0);
    return (rows) => perRow * Math.ceil(rows / BLOCK) * BLOCK;
  }

  tensors(): Tensor[] {
    return this.#keys === undefined || this.#values === undefined ? [] : [this.#keys, this.#values];
  }

  [Symbol.dispose](): void {
    disposeAll(this.tensors());
    this.#keys = this.#values = undefined;
    this.#length = 0;
  }
}

/** Rows `[B, H, L, D]` at `start` of `buffer`, which is grown in blocks when too small, to no more than `limit` rows, and given up. */
export function writeRows(buffer: Tensor | undefined, rows: Tensor, start: number, limit = Infinity): Tensor {
  const next = scope(() => sliceUpdate(room(buffer, rows, start, limit), rows, [0, 0, start, 0]));
  buffer?.dispose();
  return retain(next);
}

function room(buffer: Tensor | undefined, rows: Tensor, start: number, limit: number): Tensor {
  const [batch, heads, length, dims] = rows.shape as [number, number, number, number];
  const end = start + length;
  if (buffer !== undefined && buffer.dim(2) >= end) return buffer;
  const more = zeros([batch, heads, Math.min(Math.ceil(end / BLOCK) * BLOCK, limit) - start, dims], rows.dtype);
  return buffer === undefined ? more : concatenate([slice(buffer, 2, 0, start), more], 2);
}
