/** Random numbers with explicit keys (mlx/random.h): the same key, the same numbers. */
import { native } from "./native.js";
import { Tensor, type DType } from "./tensor.js";

export function randomKey(seed: number): Tensor {
  return new Tensor(native.randomKey(seed));
}

/** `count` new keys from one: `[count, 2]`. */
export function randomSplit(key: Tensor, count: number): Tensor {
  return new Tensor(native.randomSplit(key.handle, count));
}

/** Indices along the last axis, drawn with probability softmax(logits). */
export function categorical(logits: Tensor, key: Tensor): Tensor {
  return new Tensor(native.categorical(logits.handle, -1, key.handle));
}

/** Standard normal. */
export function randomNormal(shape: readonly number[], key: Tensor, dtype: DType = "float32"): Tensor {
  return new Tensor(native.randomNormal([...shape], dtype, key.handle));
}
