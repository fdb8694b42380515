import { add, astype, layerNorm, rmsNorm, type Tensor } from "../mlx/index.js";
import type { Weights } from "./weights.js";

/** x / rms(x) · weight over the last axis; with `fromOne`, the file holds how far the weight is from one (Gemma). */
export class RmsNorm implements Disposable {
  readonly #weight: Tensor;
  readonly #eps: number;

  constructor(weights: Weights, path: string, dims: number, eps: number, { fromOne = false } = {}) {
    const stored = weights.take(`${path}.weight`, [dims]);
    // One more than a small number needs float32's digits, as the reference has them.
    this.#weight = fromOne ? weights.derive(() => add(astype(stored, "float32"), 1)) : stored;
    if (fromOne) stored.dispose();
    this.#eps = eps;
  }

  forward(x: Tensor): Tensor {
    const y = rmsNorm(x, this.#weight, this.#eps);
    return y.dtype === x.dtype ? y : astype(y, x.dtype);
  }

  [Symbol.dispose](): void {
    this.#weight.dispose();
  }
}

/** (x − mean) / std · weight + bias over the last axis. */
export class LayerNorm implements Disposable {
  readonly #weight: Tensor;
  readonly #bias: Tensor;
  readonly #eps: number;

  constructor(weights: Weights, path: string, dims: number, eps: number) {
    this.#weight = weights.take(`${path}.weight`, [dims]);
    this.#bias = weights.take(`${path}.bias`, [dims]);
    this.#eps = eps;
  }

  forward(x: Tensor): Tensor {
    return layerNorm(x, this.#weight, this.#bias, this.#eps);
  }

  [Symbol.dispose](): void {
    this.#weight.dispose();
    this.#bias.dispose();
  }
}
