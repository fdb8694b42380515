import type { KVCache } from "../../cache/kv-cache.js";
import { matmul, multiply, reshape, scaledDotProductAttention, softmax, transpose, type Tensor } from "../../mlx/index.js";
import { Linear } from "../../nn/linear.js";
import { disposeModules } from "../../nn/module.js";
import type { QuantizationConfig } from "../../nn/quantization.js";
import type { Weights } from "../../nn/weights.js";

/** Keys and values, `[B, H, S, D]` each. */
export interface KeyValues {
  keys: Tensor;
  values: Tensor;
}

/** Whisper's attention: biases everywhere but on the keys. */
export class WhisperAttention implements Disposable {
  readonly #heads: number;
  readonly #dims: number;
  readonly #q: Linear;
  readonly #k: Linear;
  readonly #v: Linear;
  readonly #out: Linear;

  constructor(weights: Weights, path: string, { dims, heads, quantization }: { dims: number; heads: number; quantization?: QuantizationConfig }) {
    const linear = (name: string, bias: boolean): Linear => new Linear(weights, `${path}.${name}`, { inputs: dims, outputs: dims, bias, quantization });
    this.#heads = heads;
    this.#dims = dims;
    this.#q = linear("q_proj", true);
    this.#k = linear("k_proj", false);
    this.#v = linear("v_proj", true);
    this.#out = linear("out_proj", true);
  }

  keyValues(x: Tensor): KeyValues {
    return { keys: this.#split(this.#k.forward(x)), values: this.#split(this.#v.forward(x)) };
  }

  /** x `[B, L, D]` attending within itself: to all rows, or with a cache to those before and itself. */
  forward(x: Tensor, cache?: KVCache): Tensor {
    const { keys, values } = this.keyValues(x);
    return cache === undefined ? this.attend(x, { keys, values }) : this.attend(x, cache.update(keys, values), "causal");
  }

  /** x `[B, L, D]` attending to given keys and values. */
  attend(x: Tensor, { keys, values }: KeyValues, mask?: "causal"): Tensor {
    const y = scaledDotProductAttention(this.#split(this.#q.forward(x)), keys, values, (this.#dims / this.#heads) ** -0.5, mask);
    return this.#out.forward(reshape(transpose(y, [0, 2, 1, 3]), [x.dim(0), x.dim(1), this.#dims]));
  }

  /** How much each row of x `[B, L, D]` attends to each of the keys `[B, H, S, D]`: `[B, H, L, S]`. */
  weights(x: Tensor, keys: Tensor): Tensor {
    const q = multiply(this.#split(this.#q.forward(x)), (this.#dims / this.#heads) ** -0.5);
    return softmax(matmul(q, transpose(keys, [0, 1, 3, 2])), -1, true);
  }

  #split(x: Tensor): Tensor {
    return transpose(reshape(x, [x.dim(0), x.dim(1), this.#heads, this.#dims / this.#heads]), [0, 2, 1, 3]);
  }

  [Symbol.dispose](): void {
    disposeModules(this.#q, this.#k, this.#v, this.#out);
  }
}
