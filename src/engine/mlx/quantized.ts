/** Products with quantised weights (mlx/ops.h): packed 32-bit words along the last axis, one scale (and bias) a group. */
import type { Gather } from "./fast.js";
import { native } from "./native.js";
import { Tensor } from "./tensor.js";

export type QuantizationMode = "affine" | "mxfp4" | "mxfp8" | "nvfp4";

export interface Quantization {
  bits: number;
  groupSize: number;
  mode: QuantizationMode;
}

export interface QuantizedMatrix {
  /** uint32 `[out, in · bits / 32]` */
  weight: Tensor;
  /** `[out, in / groupSize]` */
  scales: Tensor;
  /** In affine mode, like `scales`. */
  biases?: Tensor;
}

/** x `[..., in]` times the transposed matrix, plus bias `[out]`: `[..., out]`. */
export function quantizedLinear(x: Tensor, w: QuantizedMatrix, q: Quantization, bias?: Tensor): Tensor {
  return new Tensor(native.quantizedLinear(x.handle, w.weight.handle, w.scales.handle, w.biases?.handle ?? null, bias?.handle ?? null, q.groupSize, q.bits, q.mode));
}

/** Row i of x `[N, in]` times the transpose of matrix `indices[i]` of stacked ones (`[E, ...]` each part): `[N, out]`. */
export function gatherQuantizedLinear(x: Tensor, w: QuantizedMatrix, q: Quantization, { indices, sorted }: Gather): Tensor {
  return new Tensor(native.gatherQuantizedLinear(x.handle, w.weight.handle, w.scales.handle, w.biases?.handle ?? null, indices.handle, sorted, q.groupSize, q.bits, q.mode));
}

/** Quantises `[out, in]` along the last axis. */
export function quantize(w: Tensor, q: Quantization): QuantizedMatrix {
  const [weight, scales, biases] = native.quantize(w.handle, q.groupSize, q.bits, q.mode).map((handle) => new Tensor(handle));
  return { weight: weight as Tensor, scales: scales as Tensor, biases };
}

/** Back to floating point, in the scales' data type. */
export function dequantize(w: QuantizedMatrix, q: Quantization): Tensor {
  return new Tensor(native.dequantize(w.weight.handle, w.scales.handle, w.biases?.handle ?? null, q.groupSize, q.bits, q.mode));
}
