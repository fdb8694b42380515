import { batchOf } from "../cache/batch-cache.js";
import { asyncEval, concatenate, scope, split, squeeze, type Tensor } from "../mlx/index.js";
import type { Architecture } from "../models/architecture.js";
import { BatchPositions } from "../nn/rotary.js";
import type { Sequence } from "./sequence.js";

/** One row of each sequence through the model, dispatched: each sequence's logits `[1, V]`. */
export function forward(model: Architecture, sequences: readonly Sequence[]): Map<Sequence, Tensor> {
  if (sequences.length === 0) return new Map();
  const [first] = sequences;
  const isOne = sequences.length === 1;
  const rows = scope(() => {
    const tokens = concatenate(sequences.map(({ pending }) => pending!.token), 0);
    const rotary = isOne ? { offset: first!.position } : new BatchPositions(sequences.map(({ position }) => position));
    const caches = isOne ? first!.session.caches : batchOf(sequences.map(({ session }) => session.caches));
    const logits = squeeze(model.logits(model.decode({ embeddings: model.embed(tokens), rotary }, caches)), 1);
    return isOne ? [logits] : split(logits, sequences.slice(1).map((_, i) => i + 1), 0);
  });
  // What is sampled from it is waited for.
  asyncEval(...rows).dispose();
  for (const sequence of sequences) sequence.position++;
  return new Map(sequences.map((sequence, i) => [sequence, rows[i] as Tensor]));
}
