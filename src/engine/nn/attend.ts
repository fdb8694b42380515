import { bySequence, type Memory } from "../cache/batch-cache.js";
import type { AttentionCache } from "../cache/layer-cache.js";
import { scaledDotProductAttention, type Tensor } from "../mlx/index.js";
import type { AttentionMask } from "./attention-mask.js";

export interface AttendOptions {
  scale: number;
  mask: AttentionMask;
  /** Absent: the rows see nothing but each other. */
  memory: Memory<AttentionCache> | undefined;
}

/** Adds keys and values `[B, Hkv, L, D]` to what is remembered, and lets queries `[B, H, L, D]` attend to it: `[B, H, L, D]`. */
export function attend([queries, keys, values]: readonly [Tensor, Tensor, Tensor], { scale, mask, memory }: AttendOptions): Tensor {
  return bySequence(memory, [queries, keys, values], (cache, parts) => {
    const [q, k, v] = parts as [Tensor, Tensor, Tensor];
    const seen = cache?.update(k, v) ?? { keys: k, values: v };
    return scaledDotProductAttention(q, seen.keys, seen.values, scale, mask);
  });
}
