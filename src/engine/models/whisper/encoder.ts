import { DeskhandError } from "../../../core/errors.js";
import { add, astype, gelu, tensor, type Tensor } from "../../mlx/index.js";
import { Linear } from "../../nn/linear.js";
import { disposeModules } from "../../nn/module.js";
import { LayerNorm } from "../../nn/norm.js";
import { sinusoids } from "../../nn/sinusoids.js";
import { TimeConvolution } from "../../nn/time-convolution.js";
import type { Weights } from "../../nn/weights.js";
import { WhisperAttention } from "./attention.js";
import type { WhisperConfig } from "./config.js";

export const EPS = 1e-5;

class EncoderLayer implements Disposable {
  readonly #norm: LayerNorm;
  readonly #attention: WhisperAttention;
  readonly #finalNorm: LayerNorm;
  readonly #fc1: Linear;
  readonly #fc2: Linear;

  constructor(weights: Weights, path: string, { d_model: dims, encoder_attention_heads: heads, encoder_ffn_dim: hidden, quantization }: WhisperConfig) {
    this.#norm = new LayerNorm(weights, `${path}.self_attn_layer_norm`, dims, EPS);
    this.#attention = new WhisperAttention(weights, `${path}.self_attn`, { dims, heads, quantization });
    this.#finalNorm = new LayerNorm(weights, `${path}.final_layer_norm`, dims, EPS);
    this.#fc1 = new Linear(weights, `${path}.fc1`, { inputs: dims, outputs: hidden, bias: true, quantization });
    this.#fc2 = new Linear(weights, `${path}.fc2`, { inputs: hidden, outputs: dims, bias: true, quantization });
  }

  forward(x: Tensor): Tensor {
    const attended = add(x, this.#attention.forward(this.#norm.forward(x)));
    return add(attended, this.#fc2.forward(gelu(this.#fc1.forward(this.#finalNorm.forward(attended)))));
  }

  [Symbol.dispose](): void {
    disposeModules(this.#norm, this.#attention, this.#finalNorm, this.#fc1, this.#fc2);
  }
}

/** Sound to hidden states: two convolutions, sinusoidal positions, pre-norm layers. */
export class WhisperEncoder implements Disposable {
  readonly #config: WhisperConfig;
  readonly #conv1: TimeConvolution;
  readonly #conv2: TimeConvolution;
  readonly #positions: Tensor;
  readonly #layers: EncoderLayer[];
  readonly #norm: LayerNorm;

  constructor(weights: Weights, path: string, config: WhisperConfig) {
    const { d_model: dims, num_mel_bins, max_source_positions: length } = config;
    this.#config = config;
    this.#conv1 = new TimeConvolution(weights, `${path}.conv1`, { inputs: num_mel_bins, outputs: dims, stride: 1 });
    this.#conv2 = new TimeConvolution(weights, `${path}.conv2`, { inputs: dims, outputs: dims, stride: 2 });
    this.#norm = new LayerNorm(weights, `${path}.layer_norm`, dims, EPS);
    // MLX leaves the table out, for it follows from its size.
    const stored = `${path}.embed_positions.weight`;
    this.#positions = weights.has(stored) ? weights.take(stored, [length, dims]) : weights.derive(() => tensor(sinusoids(length, dims), [length, dims], weights.dtype));
    this.#layers = Array.from({ length: config.encoder_layers }, (_, i) => new EncoderLayer(weights, `${path}.layers.${i}`, config));
  }

  /** Log-mel features `[B, 2 · positions, mels]` → `[B, positions, D]` */
  forward(features: Tensor): Tensor {
    const { max_source_positions: length, num_mel_bins: mels } = this.#config;
    if (features.dim(1) !== 2 * length || features.dim(2) !== mels) {
      throw new DeskhandError("internal", `Expected features of shape [B, ${2 * length}, ${mels}] but received [${features.shape.join(", ")}].`);
    }
    const heard = gelu(this.#conv2.forward(gelu(this.#conv1.forward(astype(features, this.#conv1.dtype)))));
    return this.#norm.forward(this.#layers.reduce((hidden, layer) => layer.forward(hidden), add(heard, this.#positions)));
  }

  [Symbol.dispose](): void {
    this.#positions.dispose();
    disposeModules(this.#conv1, this.#conv2, this.#layers, this.#norm);
  }
}
