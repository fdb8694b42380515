import { concatenate, disposeAll, linear, reshape, slice, transpose, zeros, type DType, type Tensor } from "../mlx/index.js";
import type { Weights } from "./weights.js";

const WIDTH = 3;

export interface TimeConvolutionOptions {
  inputs: number;
  outputs: number;
  stride: number;
}

/** A convolution over time of width 3, with a row of zeros at each end, as a matrix product. */
export class TimeConvolution implements Disposable {
  readonly #weight: Tensor;
  readonly #bias: Tensor;
  readonly #stride: number;

  constructor(weights: Weights, path: string, { inputs, outputs, stride }: TimeConvolutionOptions) {
    // Stored `[out, in, 3]` by transformers and `[out, 3, in]` by MLX.
    const channelsLast = weights.shapeOf(`${path}.weight`).at(-1) === inputs;
    const kernel = weights.takeMatrix(`${path}.weight`, channelsLast ? [outputs, WIDTH, inputs] : [outputs, inputs, WIDTH]);
    this.#weight = weights.derive(() => reshape(channelsLast ? kernel : transpose(kernel, [0, 2, 1]), [outputs, WIDTH * inputs]));
    kernel.dispose();
    this.#bias = weights.take(`${path}.bias`, [outputs]);
    this.#stride = stride;
  }

  /** Type of the activations it takes. */
  get dtype(): DType {
    return this.#bias.dtype;
  }

  /** x `[B, T, in]` → `[B, ceil(T / stride), out]` */
  forward(x: Tensor): Tensor {
    const [batch, rows, inputs] = x.shape as [number, number, number];
    const edge = zeros([batch, 1, inputs], x.dtype);
    const padded = concatenate([edge, x, edge], 1);
    const taps = Array.from({ length: WIDTH }, (_, i) => slice(padded, 1, i, i + rows, this.#stride));
    return linear(concatenate(taps, -1), this.#weight, this.#bias);
  }

  [Symbol.dispose](): void {
    disposeAll([this.#weight, this.#bias]);
  }
}
