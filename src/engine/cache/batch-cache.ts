import { concatenate, split, type Tensor } from "../mlx/index.js";
import type { AttentionCache, LayerCache } from "./layer-cache.js";

/**
 * One layer's caches of several sequences that step together, one row each. What is linear runs on all rows at once; what remembers runs
 * sequence by sequence, so that no sequence is padded to another's length and each cache keeps its own kind.
 */
export class BatchCache<Cache extends LayerCache = LayerCache> {
  constructor(readonly members: readonly Cache[]) {}
}

/** What a layer is given to remember with: the cache of one sequence, or those of a batch. */
export type Memory<Cache extends LayerCache> = Cache | BatchCache<Cache>;

/**
 * Runs what depends on a sequence's own past: once, or for each sequence of a batch with its part of `inputs` (cut, and put together again,
 * along their first axis). This is where a kernel for ragged batches would go.
 */
export function bySequence<Cache extends LayerCache>(memory: Memory<Cache> | undefined, inputs: readonly Tensor[], run: (cache: Cache | undefined, inputs: readonly Tensor[]) => Tensor): Tensor {
  if (!(memory instanceof BatchCache)) return run(memory, inputs);
  const { members } = memory;
  const borders = members.slice(1).map((_, i) => i + 1);
  const parts = inputs.map((input) => split(input, borders, 0));
  return concatenate(
    members.map((cache, i) => run(cache, parts.map((rows) => rows[i] as Tensor))),
    0,
  );
}

/** One batch of each layer, from the layers of each sequence. */
export function batchOf<Cache extends LayerCache>(sequences: readonly (readonly Cache[])[]): BatchCache<Cache>[] {
  return (sequences[0] ?? []).map((_, layer) => new BatchCache(sequences.map((caches) => caches[layer] as Cache)));
}

/** How many rows `rows` new ones are given back behind; of a batch none are told, since the one row of each sequence sees all it is given. */
export function rowsBefore(memory: Memory<AttentionCache> | undefined, rows: number): number {
  return memory === undefined || memory instanceof BatchCache ? 0 : memory.before(rows);
}
