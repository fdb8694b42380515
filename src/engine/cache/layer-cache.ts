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

/** What a cache whose `isState` holds consists of, to be kept elsewhere. */
export interface LayerState {
  /** Those of `tensors()`, in their order. */
  tensors: Tensor[];
  /** What else it knows: how far it is, and the like. */
  counters: number[];
}

/** A cache in which later rows replace earlier ones. */
export interface StateCache extends LayerCache {
  readonly isState: true;
  fork(length: number): StateCache;
  /** What it is now; the tensors stay its own. */
  save(): LayerState;
  /** Becomes what was told by `save` of another cache, and takes the tensors; only while it is empty. */
  restore(state: LayerState): void;
}

export function isStateCache(cache: LayerCache): cache is StateCache {
  return cache.isState;
}

/** What an attention layer remembers: keys and values, all of them or those of a window. */
export interface AttentionCache extends LayerCache {
  /** How many rows before `rows` new ones `update` gives back together with them. */
  before(rows: number): number;
  /** Adds rows `[B, H, L, D]` and returns them with those they may see. */
  update(keys: Tensor, values: Tensor): { keys: Tensor; values: Tensor };
}
