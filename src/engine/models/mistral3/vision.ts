import { add, concatenate, cos, gelu, linear, multiply, reshape, scaledDotProductAttention, siluMultiply, sin, tensor, transpose, type DType, type Tensor } from "../../mlx/index.js";
import { Linear } from "../../nn/linear.js";
import { disposeModules } from "../../nn/module.js";
import { RmsNorm } from "../../nn/norm.js";
import { patchMatrix } from "../../nn/patch-matrix.js";
import type { QuantizationConfig } from "../../nn/quantization.js";
import { inverseFrequencies, rotateHalves } from "../../nn/rotary.js";
import type { Weights } from "../../nn/weights.js";
import type { PixtralVisionConfig } from "./config.js";
import type { PixtralImage } from "./processor.js";

// Pixtral's vision tower (arXiv:2410.07073): pictures of any size, rows and columns told by rotary positions, SwiGLU-like blocks.
// One picture a pass, which is what the reference's block-diagonal attention amounts to.
// Reference: transformers 5.23, models/pixtral/modeling_pixtral.py.

const EPS = 1e-5;

interface Angles {
  cos: Tensor;
  sin: Tensor;
}

class Block implements Disposable {
  readonly #heads: number;
  readonly #activation: PixtralVisionConfig["hidden_act"];
  readonly #attentionNorm: RmsNorm;
  readonly #ffnNorm: RmsNorm;
  readonly #q: Linear;
  readonly #k: Linear;
  readonly #v: Linear;
  readonly #o: Linear;
  readonly #gate: Linear;
  readonly #up: Linear;
  readonly #down: Linear;

  constructor(weights: Weights, path: string, { hidden_size: dims, intermediate_size: hidden, num_attention_heads, hidden_act }: PixtralVisionConfig, quantization?: QuantizationConfig) {
    const linear = (name: string, inputs: number, outputs: number): Linear => new Linear(weights, `${path}.${name}`, { inputs, outputs, bias: false, quantization });
    this.#heads = num_attention_heads;
    this.#activation = hidden_act;
    this.#attentionNorm = new RmsNorm(weights, `${path}.attention_norm`, dims, EPS);
    this.#ffnNorm = new RmsNorm(weights, `${path}.ffn_norm`, dims, EPS);
    this.#q = linear("attention.q_proj", dims, dims);
    this.#k = linear("attention.k_proj", dims, dims);
    this.#v = linear("attention.v_proj", dims, dims);
    this.#o = linear("attention.o_proj", dims, dims);
    this.#gate = linear("feed_forward.gate_proj", dims, hidden);
    this.#up = linear("feed_forward.up_proj", dims, hidden);
    this.#down = linear("feed_forward.down_proj", hidden, dims);
  }

  /** x `[1, N, D]` */
  forward(x: Tensor, angles: Angles): Tensor {
    const attended = add(x, this.#attend(this.#attentionNorm.forward(x), angles));
    const normed = this.#ffnNorm.forward(attended);
    const gate = this.#gate.forward(normed);
    const up = this.#up.forward(normed);
    return add(attended, this.#down.forward(this.#activation === "silu" ? siluMultiply(gate, up) : multiply(gelu(gate), up)));
  }

  #attend(x: Tensor, { cos, sin }: Angles): Tensor {
    const [batch, patches, dims] = x.shape as [number, number, number];
    const headDim = dims / this.#heads;
    const heads = (y: Tensor): Tensor => transpose(reshape(y, [batch, patches, this.#heads, headDim]), [0, 2, 1, 3]);
    const q = rotateHalves(heads(this.#q.forward(x)), cos, sin);
    const k = rotateHalves(heads(this.#k.forward(x)), cos, sin);
    const y = scaledDotProductAttention(q, k, heads(this.#v.forward(x)), headDim ** -0.5);
    return this.#o.forward(reshape(transpose(y, [0, 2, 1, 3]), [batch, patches, dims]));
  }

  [Symbol.dispose](): void {
    disposeModules(this.#attentionNorm, this.#ffnNorm, this.#q, this.#k, this.#v, this.#o, this.#gate, this.#up, this.#down);
  }
}

export class PixtralTower implements Disposable {
  readonly #config: PixtralVisionConfig;
  readonly #patchWeight: Tensor;
  readonly #dtype: DType;
  readonly #norm: RmsNorm;
  readonly #blocks: Block[];

  /** @param layers how many of the blocks are run. */
  constructor(weights: Weights, path: string, config: PixtralVisionConfig, layers: number, quantization?: QuantizationConfig) {
    const { hidden_size: dims, num_channels: channels, patch_size: patchSize, num_hidden_layers } = config;
    this.#config = config;
    this.#patchWeight = patchMatrix(weights, `${path}.patch_conv.weight`, { outputs: dims, channels, patchSize });
    this.#norm = new RmsNorm(weights, `${path}.ln_pre`, dims, EPS);
    this.#dtype = weights.dtype ?? this.#patchWeight.dtype;
    this.#blocks = Array.from({ length: num_hidden_layers }, (_, i) => new Block(weights, `${path}.transformer.layers.${i}`, config, quantization));
    // Those beyond are bound, so that their weights are known, and let go before they are read.
    disposeModules(this.#blocks.splice(layers));
  }

  /** States of the picture's patches after the last block that is run, `[1, rows · columns, D]`. */
  forward({ pixelValues, rows, columns }: PixtralImage): Tensor {
    const patches = rows * columns;
    const pixels = tensor(pixelValues, [1, patches, pixelValues.length / patches], this.#dtype);
    const angles = this.#angles(rows, columns);
    let hidden = this.#norm.forward(linear(pixels, this.#patchWeight));
    for (const block of this.#blocks) hidden = block.forward(hidden, angles);
    return hidden;
  }

  /** Angles `[N, headDim]`: of the frequencies, every second follows the row and the others the column; then the same again. */
  #angles(rows: number, columns: number): Angles {
    const { hidden_size, num_attention_heads, rope_theta } = this.#config;
    const frequencies = inverseFrequencies(hidden_size / num_attention_heads, rope_theta);
    const half = frequencies.length;
    const values = new Float32Array(rows * columns * half);
    for (let patch = 0; patch < rows * columns; patch++) {
      const place = [Math.floor(patch / columns), patch % columns] as const;
      frequencies.forEach((frequency, i) => (values[patch * half + (i % 2) * Math.ceil(half / 2) + (i >> 1)] = (i % 2 === 0 ? place[0] : place[1]) * frequency));
    }
    const one = tensor(values, [rows * columns, half]);
    const both = concatenate([one, one], -1);
    return { cos: cos(both), sin: sin(both) };
  }

  [Symbol.dispose](): void {
    this.#patchWeight.dispose();
    disposeModules(this.#norm, this.#blocks);
  }
}
