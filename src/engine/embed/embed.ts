import { DeskhandError, throwIfAborted } from "../../core/errors.js";
import { PREFILL_CHUNK } from "../generate/prefill.js";
import { astype, disposeAll, evaluated, scope, slice, sum, tensor } from "../mlx/index.js";
import type { Architecture } from "../models/architecture.js";
import type { Pooling } from "./pooling.js";

/**
 * One vector for a text of token ids: hidden states after the last layer, pooled.
 * @throws DeskhandError `context_length_exceeded`, `cancelled` between pieces of a long text.
 */
export async function embedTokens(model: Architecture, tokenIds: readonly number[], { rows }: Pooling, signal: AbortSignal | undefined): Promise<Float32Array> {
  const { length } = tokenIds;
  if (length > model.contextLength) {
    throw new DeskhandError("context_length_exceeded", `Expected a text of at most ${model.contextLength} tokens but received ${length}. Cut it into parts.`, { param: "input" });
  }
  const plan = model.plan({ tokenIds, media: [] });
  const caches = model.createCache();
  let pooled: Float32Array | undefined;
  try {
    for (let from = 0, to = 0; from < length; from = to) {
      throwIfAborted(signal);
      to = Math.min(plan.border?.(from + PREFILL_CHUNK) ?? from + PREFILL_CHUNK, length);
      const wanted = scope(() => {
        const ids = tensor(Int32Array.from(tokenIds.slice(from, to)), [1, to - from]);
        const hidden = model.decode({ embeddings: model.embed(ids), ...plan.rows(from, to) }, caches);
        return astype(rows === "mean" ? sum(hidden, [1]) : slice(hidden, 1, rows === "last" ? -1 : 0, rows === "last" ? undefined : 1), "float32");
      });
      try {
        await evaluated(wanted, ...caches.flatMap((cache) => cache.tensors()));
        const part = Float32Array.from(wanted.toTypedArray() as Float32Array);
        if (pooled === undefined || rows === "last") pooled = part;
        else if (rows === "mean") pooled = pooled.map((value, i) => value + part[i]!);
      } finally {
        disposeAll([wanted]);
      }
    }
  } finally {
    for (const cache of caches) cache[Symbol.dispose]();
  }
  return rows === "mean" ? pooled!.map((value) => value / length) : pooled!;
}

/** Its first `dimensions` (Matryoshka embeddings put most into those), of length 1 where the model's are. */
export function finishVector(vector: Float32Array, { isNormalized }: Pooling, dimensions = vector.length): Float32Array {
  if (dimensions > vector.length) throw new DeskhandError("invalid_argument", `Expected at most the model's ${vector.length} dimensions but received ${dimensions}.`, { param: "dimensions" });
  const cut = vector.slice(0, dimensions);
  if (!isNormalized) return cut;
  const norm = Math.hypot(...cut);
  return norm === 0 ? cut : cut.map((value) => value / norm);
}
