import { add, astype, concatenate, multiply, negative, rope, split, type Tensor } from "../mlx/index.js";

/**
 * Where the rows of a sequence stand: consecutive positions from `offset` (MLX's fused kernel), or angles worked out beforehand
 * where positions have several axes (pictures). `length`: of the whole prompt that the rows are
 * part of, for frequencies that depend on it (nn/rope.ts); by default the rows are the sequence's last.
 */
export type Rotary = { offset: number; length?: number } | { cos: Tensor; sin: Tensor };

/** 1 / base^(2i / dims) for i < dims / 2, in float32 as the references do. */
export function inverseFrequencies(dims: number, base: number): Float32Array {
  return Float32Array.from({ length: dims / 2 }, (_, i) => 1 / Math.fround(base ** ((2 * i) / dims)));
}

/**
 * Rotates the halves of the last axis of x `[..., L, D]` against each other by angles whose cosines and sines are float32
 * `[L, D]`. Computed in float32, returned in x's data type.
 */
export function rotateHalves(x: Tensor, cos: Tensor, sin: Tensor): Tensor {
  const [first, second] = split(x, [x.dim(-1) / 2], -1) as [Tensor, Tensor];
  const rotated = concatenate([negative(second), first], -1);
  const y = add(multiply(x, cos), multiply(rotated, sin));
  return y.dtype === x.dtype ? y : astype(y, x.dtype);
}

/** Rotary position embedding of x `[B, H, L, D]` over all D features. */
export function applyRotary(x: Tensor, rotary: Rotary, base: number): Tensor {
  if ("offset" in rotary) return rope(x, { dims: x.dim(-1), base, offset: rotary.offset });
  return rotateHalves(x, rotary.cos, rotary.sin);
}
