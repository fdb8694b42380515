import { DeskhandError } from "../../core/errors.js";
import { concatenate, disposeAll, retain, scope, slice, sliceUpdate, zeros, type Tensor } from "../mlx/index.js";
import type { AttentionCache } from "./layer-cache.js";

/** Neighbouring rows of one layer, `[B, H, n, D]` each. */
export interface KeyValueRows {
  keys: Tensor;
  values: Tensor;
}

/** Room comes in blocks of this many rows, as many more of them as an eighth of the rows fills: what moving all rows costs a turn does not grow with them. */
const BLOCK = 256;
const AHEAD = 1 / 8;

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
    const length = pieces.reduce((sum, { keys }) => sum + keys.dim(2), 0);
    const more = inBlocks(length) - length;
    const joined = (rows: readonly Tensor[]): Tensor => retain(scope(() => concatenate(more === 0 ? [...rows] : [...rows, emptyRows(rows[0]!, more)], 2)));
    cache.#keys = joined(pieces.map(({ keys }) => keys));
    cache.#values = joined(pieces.map(({ values }) => values));
    cache.#length = length;
    return cache;
  }

  sizing(): (rows: number) => number {
    const perRow = this.tensors().reduce((sum, held) => sum + held.nbytes / held.dim(2), 0);
    return (rows) => perRow * withRoomAhead(rows);
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
  const end = start + rows.dim(2);
  if (buffer === undefined) return emptyRows(rows, Math.min(inBlocks(end), limit));
  return buffer.dim(2) >= end ? buffer : concatenate([slice(buffer, 2, 0, start), emptyRows(rows, Math.min(withRoomAhead(end), limit) - start)], 2);
}

/** As many rows of zeros like these. */
function emptyRows(like: Tensor, count: number): Tensor {
  const [batch, heads, , dims] = like.shape as [number, number, number, number];
  return zeros([batch, heads, count, dims], like.dtype);
}

function withRoomAhead(rows: number): number {
  return inBlocks(rows) + Math.floor((rows * AHEAD) / BLOCK) * BLOCK;
}

function inBlocks(rows: number): number {
  return Math.ceil(rows / BLOCK) * BLOCK;
}
