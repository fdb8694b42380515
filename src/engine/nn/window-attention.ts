import { concatenate, reshape, scaledDotProductAttention, slice, transpose, type Tensor } from "../mlx/index.js";

/** Rows that follow each other in `count` windows of `size` rows each. */
export interface WindowRun {
  count: number;
  size: number;
}

/** `[B, H, N, d]` each. */
export type QueriesKeysValues = readonly [Tensor, Tensor, Tensor];

/** Every row attends to every other: `[B, N, H · d]`. */
export function attend([q, k, v]: QueriesKeysValues): Tensor {
  const [batch, heads, rows, headDim] = q.shape as [number, number, number, number];
  return reshape(transpose(scaledDotProductAttention(q, k, v, headDim ** -0.5), [0, 2, 1, 3]), [batch, rows, heads * headDim]);
}

/**
 * Rows attend within their window; the windows cover all rows. Those of a run, being of one size, are a batch: no masks, and no
 * work on what a window does not see.
 */
export function attendInWindows(qkv: QueriesKeysValues, windows: readonly WindowRun[]): Tensor {
  const [frames, heads, , headDim] = qkv[0].shape as [number, number, number, number];
  const parts: Tensor[] = [];
  let start = 0;
  for (const { count, size } of windows) {
    const end = start + count * size;
    const batched = qkv.map((x) => {
      const run = reshape(slice(x, 2, start, end), [frames, heads, count, size, headDim]);
      return reshape(transpose(run, [0, 2, 1, 3, 4]), [frames * count, heads, size, headDim]);
    }) as [Tensor, Tensor, Tensor];
    parts.push(reshape(attend(batched), [frames, count * size, heads * headDim]));
    start = end;
  }
  return concatenate(parts, 1);
}
