import { DeskhandError } from "../../core/errors.js";
import { astype, dequantize, disposeAll, isFloating, linear, quantizedLinear, reshape, take, type DType, type Quantization, type QuantizedMatrix, type Tensor } from "../mlx/index.js";
import { quantizationOf, type QuantizationConfig } from "./quantization.js";
import type { Weights } from "./weights.js";

/** A matrix `[out, in]`, dense or quantised, that multiplies from the right: x `[..., in]` → `[..., out]`. */
interface Matrix {
  apply(x: Tensor, bias: Tensor | undefined): Tensor;
  /** Rows at `ids`: `[...ids, in]`. */
  rows(ids: Tensor): Tensor;
  tensors(): Tensor[];
}

class DenseMatrix implements Matrix {
  readonly #weight: Tensor;
  readonly #activations: DType;

  constructor(weights: Weights, path: string, shape: readonly [number, number]) {
    this.#weight = weights.takeMatrix(path, shape);
    this.#activations = weights.dtype ?? this.#weight.dtype;
  }

  apply(x: Tensor, bias: Tensor | undefined): Tensor {
    return linear(x, this.#weight, bias);
  }

  rows(ids: Tensor): Tensor {
    const rows = take(this.#weight, ids, 0);
    return this.#weight.dtype === this.#activations ? rows : astype(rows, this.#activations);
  }

  tensors(): Tensor[] {
    return [this.#weight];
  }
}

class PackedMatrix implements Matrix {
  readonly #matrix: QuantizedMatrix;
  readonly #quantization: Quantization;
  readonly #activations: DType | undefined;

  /** @param activations Type of the rows, for modes whose scales have none to tell: unpacked, MLX makes them bfloat16. */
  constructor(matrix: QuantizedMatrix, quantization: Quantization, activations: DType | undefined) {
    this.#matrix = matrix;
    this.#quantization = quantization;
    this.#activations = activations;
  }

  apply(x: Tensor, bias: Tensor | undefined): Tensor {
    return quantizedLinear(x, this.#matrix, this.#quantization, bias);
  }

  rows(ids: Tensor): Tensor {
    const { weight, scales, biases } = this.#matrix;
    const pick = (of: Tensor): Tensor => take(of, ids, 0);
    const rows = dequantize({ weight: pick(weight), scales: pick(scales), biases: biases && pick(biases) }, this.#quantization);
    return this.#activations === undefined || rows.dtype === this.#activations ? rows : astype(rows, this.#activations);
  }

  tensors(): Tensor[] {
    const { weight, scales, biases } = this.#matrix;
    return biases === undefined ? [weight, scales] : [weight, scales, biases];
  }
}

function takeMatrix(weights: Weights, path: string, [out, inputs]: readonly [number, number], config: QuantizationConfig | undefined): Matrix {
  const quantization = quantizationOf(weights, path, config);
  if (quantization === undefined) return new DenseMatrix(weights, `${path}.weight`, [out, inputs]);
  const { bits, groupSize, mode } = quantization;
  if (inputs % groupSize !== 0) throw new DeskhandError("invalid_model", `Expected ${path} to have a multiple of ${groupSize} inputs (its quantisation group) but it has ${inputs}.`);
  const scales = weights.take(`${path}.scales`, [out, inputs / groupSize]);
  return new PackedMatrix(
    {
      weight: weights.take(`${path}.weight`, [out, (inputs * bits) / 32]),
      scales,
      biases: mode === "affine" ? weights.take(`${path}.biases`, [out, inputs / groupSize]) : undefined,
    },
    quantization,
    isFloating(scales.dtype) ? scales.dtype : (weights.dtype ?? weights.commonType()),
  );
}

export interface LinearOptions {
  inputs: number;
  outputs: number;
  bias: boolean;
  quantization?: QuantizationConfig;
}

/** x `[..., inputs]` → `[..., outputs]`, dense or quantised as the weights are. */
export class Linear implements Disposable {
  readonly #matrix: Matrix;
  readonly #bias: Tensor | undefined;

  constructor(weights: Weights, path: string, options: LinearOptions) {
    this.#matrix = takeMatrix(weights, path, [options.outputs, options.inputs], options.quantization);
    this.#bias = options.bias ? weights.take(`${path}.bias`, [options.outputs]) : undefined;
  }

  forward(x: Tensor): Tensor {
    return this.#matrix.apply(x, this.#bias);
  }

  [Symbol.dispose](): void {
    disposeAll([...this.#matrix.tensors(), ...(this.#bias === undefined ? [] : [this.#bias])]);
  }
}

/** Token embeddings, usable as the output head where the two are tied. */
export class Embedding implements Disposable {
  readonly #matrix: Matrix;
  readonly #dims: number;

  constructor(weights: Weights, path: string, options: { vocabSize: number; dims: number; quantization?: QuantizationConfig }) {
    this.#matrix = takeMatrix(weights, path, [options.vocabSize, options.dims], options.quantization);
    this.#dims = options.dims;
  }

  /** ids `[B, L]` → `[B, L, D]` */
  forward(ids: Tensor): Tensor {
    return reshape(this.#matrix.rows(reshape(ids, [-1])), [...ids.shape, this.#dims]);
  }

  /** Hidden states `[..., D]` → logits `[..., vocab]`. */
  asLinear(x: Tensor): Tensor {
    return this.#matrix.apply(x, undefined);
  }

  [Symbol.dispose](): void {
    disposeAll(this.#matrix.tensors());
  }
}
