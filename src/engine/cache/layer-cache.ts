import type { Tensor } from "../mlx/index.js";

/** What one layer remembers of a sequence. */
export interface LayerCache extends Disposable {
  /** Rows of the sequence it has seen. */
  readonly length: number;
  /** Whether it can go back to its first `length` rows: a window or a running state may have let go of what that takes. */
  canTrim(length: number): boolean;
  /** Forgets all but the first `length` rows; only where `canTrim` says so. */
  trim(length: number): void;
  /** Whether later rows replace earlier ones in it, so that it can go back a little way or none. */
  readonly isState: boolean;
  /** A cache of its own that holds the first `length` rows; only where `canTrim` says so. */
  fork(length: number): LayerCache;
  /** How many bytes it takes with so many rows; to be asked for once it has seen one. */
  sizing(): (rows: number) => number;
  /** What must be evaluated for the rows to be there. */
  tensors(): Tensor[];
}

/** What an attention layer remembers: keys and values, all of them or those of a window. */
export interface AttentionCache extends LayerCache {
  /** How many rows before `rows` new ones `update` gives back together with them. */
  before(rows: number): number;
  /** Adds rows `[B, H, L, D]` and returns them with those they may see. */
  update(keys: Tensor, values: Tensor): { keys: Tensor; values: Tensor };
}
