import { concatenate, disposeAll, linear, reshape, slice, transpose, zeros, type DType, type Tensor } from "../mlx/index.js";
import type { Weights } from "./weights.js";

const WIDTH = 3;
const STRIDE = 2;

/** A convolution of 3 × 3 over a grid that halves it both ways, with zeros around it, as a matrix product. */
export class GridConvolution implements Disposable {
  readonly #weight: Tensor;
  readonly #bias: Tensor;

  constructor(weights: Weights, path: string, { inputs, outputs }: { inputs: number; outputs: number }) {
    // Stored `[out, in, 3, 3]` by transformers and `[out, 3, 3, in]` by MLX.
    const channelsLast = weights.shapeOf(`${path}.weight`).at(-1) === inputs;
    const kernel = weights.takeMatrix(`${path}.weight`, channelsLast ? [outputs, WIDTH, WIDTH, inputs] : [outputs, inputs, WIDTH, WIDTH]);
    this.#weight = weights.derive(() => reshape(channelsLast ? kernel : transpose(kernel, [0, 2, 3, 1]), [outputs, WIDTH ** 2 * inputs]));
    kernel.dispose();
    this.#bias = weights.take(`${path}.bias`, [outputs]);
  }

  /** Type of the activations it takes. */
  get dtype(): DType {
    return this.#bias.dtype;
  }

  /** x `[B, H, W, in]` → `[B, ceil(H / 2), ceil(W / 2), out]` */
  forward(x: Tensor): Tensor {
    const [batch, height, width, inputs] = x.shape as [number, number, number, number];
    const row = zeros([batch, 1, width, inputs], x.dtype);
    const column = zeros([batch, height + 2, 1, inputs], x.dtype);
    const padded = concatenate([column, concatenate([row, x, row], 1), column], 2);
    const taps = Array.from({ length: WIDTH }, (_, i) => slice(padded, 1, i, i + height, STRIDE)).flatMap((rows) => Array.from({ length: WIDTH }, (_, i) => slice(rows, 2, i, i + width, STRIDE)));
    return linear(concatenate(taps, -1), this.#weight, this.#bias);
  }

  [Symbol.dispose](): void {
    disposeAll([this.#weight, this.#bias]);
  }
}
