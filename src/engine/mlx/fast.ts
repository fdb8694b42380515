/** Fused kernels: MLX's own (mlx/fast.h), and ours on the CPU (native/src/cpu). */
import { native } from "./native.js";
import { Tensor } from "./tensor.js";

/** Root-mean-square norm over the last axis. */
export function rmsNorm(x: Tensor, weight: Tensor | undefined, eps: number): Tensor {
  return new Tensor(native.rmsNorm(x.handle, weight?.handle ?? null, eps));
}

/** Layer norm over the last axis. */
export function layerNorm(x: Tensor, weight: Tensor | undefined, bias: Tensor | undefined, eps: number): Tensor {
  return new Tensor(native.layerNorm(x.handle, weight?.handle ?? null, bias?.handle ?? null, eps));
}

export interface RopeOptions {
  /** How many of the last axis' features are rotated. */
  dims: number;
  base: number;
  /** Position of the first row of `x`. */
  offset: number;
  /** `[dims / 2]`, one over each frequency, instead of those of `base`. */
  periods?: Tensor;
}

/** Rotary position embedding, halves rotated against each other, on x `[B, H, L, D]`. */
export function rope(x: Tensor, { dims, base, offset, periods }: RopeOptions): Tensor {
  return new Tensor(native.rope(x.handle, dims, base, offset, periods?.handle ?? null));
}

/**
 * softmax(q kᵀ · scale + mask) v, with grouped key-value heads.
 * @param q `[B, H, L, D]`; @param k, v `[B, Hkv, S, D]`; `"causal"` lets row i see keys up to S − L + i;
 * a boolean mask keeps where true, any other is added; it broadcasts to `[B, H, L, S]`.
 */
export function scaledDotProductAttention(q: Tensor, k: Tensor, v: Tensor, scale: number, mask?: Tensor | "causal"): Tensor {
  const mode = mask === undefined ? "" : mask === "causal" ? "causal" : "array";
  return new Tensor(native.scaledDotProductAttention(q.handle, k.handle, v.handle, scale, mode, mask instanceof Tensor ? mask.handle : null));
}

/** x `[..., in]` times weights `[out, in]` transposed, plus bias `[out]`. On the CPU the weights may be half-precision under float32 activations. */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  return new Tensor(native.linear(x.handle, weight.handle, bias?.handle ?? null));
}

/** How rows find their matrix among stacked ones. */
export interface Gather {
  /** uint32 `[N]` */
  indices: Tensor;
  /** Equal indices stand together: each matrix is then read once. */
  sorted: boolean;
}

/** Row i of x `[N, in]` times the transpose of matrix `indices[i]` of `[E, out, in]`: `[N, out]`. */
export function gatherLinear(x: Tensor, weights: Tensor, { indices, sorted }: Gather): Tensor {
  return new Tensor(native.gatherLinear(x.handle, weights.handle, indices.handle, sorted));
}

export interface GatedDeltaInput {
  /** `[B, T, Hk, Dk]` */
  q: Tensor;
  k: Tensor;
  /** `[B, T, Hv, Dv]`; each key head serves Hv / Hk neighbouring value heads. */
  v: Tensor;
  /** `[B, T, Hv]`: what is kept of the state at each step, in (0, 1]. */
  decay: Tensor;
  /** `[B, T, Hv]`: how far the state moves towards the new value. */
  beta: Tensor;
  /** `[B, Hv, Dv, Dk]` */
  state: Tensor;
}

/** The gated delta rule (arXiv:2412.06464): S ← decay S; S ← S + beta (v − S k) kᵀ; y = S q, step by step. y is `[B, T, Hv, Dv]`. */
export function gatedDelta({ q, k, v, decay, beta, state }: GatedDeltaInput): { y: Tensor; state: Tensor } {
  const [y, after] = native.gatedDelta(q.handle, k.handle, v.handle, decay.handle, beta.handle, state.handle).map((handle) => new Tensor(handle));
  return { y: y as Tensor, state: after as Tensor };
}

/** x · Φ(x), with Φ by the error function. */
export function gelu(x: Tensor): Tensor {
  return new Tensor(native.gelu(x.handle));
}

/** The tanh approximation of `gelu` (Hendrycks & Gimpel 2016), `gelu_pytorch_tanh` in configs. */
export function geluTanh(x: Tensor): Tensor {
  return new Tensor(native.geluTanh(x.handle));
}

/** a · sigmoid(a) · b: the middle of a SwiGLU (arXiv:2002.05202). */
export function siluMultiply(a: Tensor, b: Tensor): Tensor {
  return new Tensor(native.siluMultiply(a.handle, b.handle));
}
