import { layerNorm, rmsNorm, type Tensor } from "../mlx/index.js";
import type { Weights } from "./weights.js";

/** x / rms(x) · weight over the last axis. */
export class RmsNorm implements Disposable {
  readonly #weight: Tensor;
  readonly #eps: number;

  constructor(weights: Weights, path: string, dims: number, eps: number) {
    this.#weight = weights.take(`${path}.weight`, [dims]);
    this.#eps = eps;
  }

  forward(x: Tensor): Tensor {
    return rmsNorm(x, this.#weight, this.#eps);
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
