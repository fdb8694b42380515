import type { LogMel } from "../../audio/log-mel.js";
import { add, concatenate, gelu, mean, reshape, slice, tensor, transpose, type Tensor } from "../../mlx/index.js";
import { Linear } from "../../nn/linear.js";
import { disposeModules } from "../../nn/module.js";
import { LayerNorm } from "../../nn/norm.js";
import type { QuantizationConfig } from "../../nn/quantization.js";
import { sinusoids } from "../../nn/sinusoids.js";
import { TimeConvolution } from "../../nn/time-convolution.js";
import type { Weights } from "../../nn/weights.js";
import { attendInWindows, type WindowRun } from "../../nn/window-attention.js";
import type { Qwen25OmniAudioConfig } from "./config.js";

// Qwen2.5-Omni's audio tower (arXiv:2503.20215): Whisper's encoder on windows of two seconds that do not see each other, then two
// rows averaged to one. Reference: transformers 5.23, models/qwen2_5_omni/modeling_qwen2_5_omni.py.

const EPS = 1e-5;

/** Rows that the tower makes of so many frames of log-mel features. */
export function soundRows(frames: number): number {
  return Math.floor(Math.ceil(frames / 2) / 2);
}

export interface AudioLayerOptions {
  dims: number;
  heads: number;
  /** Width of the MLP. */
  hidden: number;
  keyBias: boolean;
  quantization?: QuantizationConfig;
}

/** Whisper's encoder layer on windows of rows. Also Qwen3-Omni's. */
export class AudioLayer implements Disposable {
  readonly #heads: number;
  readonly #norm: LayerNorm;
  readonly #q: Linear;
  readonly #k: Linear;
  readonly #v: Linear;
  readonly #out: Linear;
  readonly #finalNorm: LayerNorm;
  readonly #fc1: Linear;
  readonly #fc2: Linear;

  constructor(weights: Weights, path: string, { dims, heads, hidden, keyBias, quantization }: AudioLayerOptions) {
    const projection = (name: string, bias: boolean): Linear => new Linear(weights, `${path}.self_attn.${name}`, { inputs: dims, outputs: dims, bias, quantization });
    this.#heads = heads;
    this.#norm = new LayerNorm(weights, `${path}.self_attn_layer_norm`, dims, EPS);
    this.#q = projection("q_proj", true);
    this.#k = projection("k_proj", keyBias);
    this.#v = projection("v_proj", true);
    this.#out = projection("out_proj", true);
    this.#finalNorm = new LayerNorm(weights, `${path}.final_layer_norm`, dims, EPS);
    this.#fc1 = new Linear(weights, `${path}.fc1`, { inputs: dims, outputs: hidden, bias: true, quantization });
    this.#fc2 = new Linear(weights, `${path}.fc2`, { inputs: hidden, outputs: dims, bias: true, quantization });
  }

  /** x `[1, N, D]` */
  forward(x: Tensor, windows: readonly WindowRun[]): Tensor {
    const [batch, rows, dims] = x.shape as [number, number, number];
    const heads = (y: Tensor): Tensor => transpose(reshape(y, [batch, rows, this.#heads, dims / this.#heads]), [0, 2, 1, 3]);
    const normed = this.#norm.forward(x);
    const attended = add(x, this.#out.forward(attendInWindows([heads(this.#q.forward(normed)), heads(this.#k.forward(normed)), heads(this.#v.forward(normed))], windows)));
    return add(attended, this.#fc2.forward(gelu(this.#fc1.forward(this.#finalNorm.forward(attended)))));
  }

  [Symbol.dispose](): void {
    disposeModules(this.#norm, this.#q, this.#k, this.#v, this.#out, this.#finalNorm, this.#fc1, this.#fc2);
  }
}

export class AudioTower implements Disposable {
  /** Frames of a window. */
  readonly #window: number;
  readonly #conv1: TimeConvolution;
  readonly #conv2: TimeConvolution;
  readonly #positions: Tensor;
  readonly #layers: AudioLayer[];
  readonly #norm: LayerNorm;
  readonly #proj: Linear;

  constructor(weights: Weights, path: string, config: Qwen25OmniAudioConfig, quantization?: QuantizationConfig) {
    const { d_model: dims, n_window } = config;
    this.#window = 2 * n_window;
    this.#conv1 = new TimeConvolution(weights, `${path}.conv1`, { inputs: config.num_mel_bins, outputs: dims, stride: 1 });
    this.#conv2 = new TimeConvolution(weights, `${path}.conv2`, { inputs: dims, outputs: dims, stride: 2 });
    this.#positions = weights.derive(() => tensor(sinusoids(n_window, dims), [n_window, dims], this.#conv1.dtype));
    const layer = { dims, heads: config.encoder_attention_heads, hidden: config.encoder_ffn_dim, keyBias: false, quantization };
    this.#layers = Array.from({ length: config.encoder_layers }, (_, i) => new AudioLayer(weights, `${path}.layers.${i}`, layer));
    this.#norm = new LayerNorm(weights, `${path}.ln_post`, dims, EPS);
    this.#proj = new Linear(weights, `${path}.proj`, { inputs: dims, outputs: config.output_dim, bias: true, quantization });
    // Embeddings of the sound's beginning and end: the decoder has tokens of its own for them.
    weights.skip(`${path}.audio_bos_eos_token.weight`);
  }

  /** `[soundRows(frames), D]`, D the width of the decoder. */
  forward({ data, frames, mels }: LogMel): Tensor {
    const features = tensor(data, [frames, mels], this.#conv1.dtype);
    const whole = frames - (frames % this.#window);
    const runs = [
      { start: 0, end: whole, size: this.#window },
      { start: whole, end: frames, size: frames - whole },
    ].filter(({ start, end }) => end > start);
    const parts = runs.map(({ start, end, size }) => this.#convolve(reshape(slice(features, 0, start, end), [-1, size, mels])));
    const windows = parts.map((part): WindowRun => ({ count: part.dim(0), size: part.dim(1) }));
    const dims = this.#positions.dim(1);
    let hidden = concatenate(parts.map((part) => reshape(part, [1, -1, dims])), 1);
    for (const layer of this.#layers) hidden = layer.forward(hidden, windows);
    const rows = soundRows(frames);
    const pooled = mean(reshape(slice(hidden, 1, 0, 2 * rows), [rows, 2, dims]), [1]);
    return this.#proj.forward(this.#norm.forward(pooled));
  }

  [Symbol.dispose](): void {
    this.#positions.dispose();
    disposeModules(this.#conv1, this.#conv2, this.#layers, this.#norm, this.#proj);
  }

  /** Windows `[B, frames, mels]` → `[B, rows, D]`, rows half the frames; positions begin anew in each window. */
  #convolve(windows: Tensor): Tensor {
    const heard = gelu(this.#conv2.forward(gelu(this.#conv1.forward(windows))));
    return add(heard, slice(this.#positions, 0, 0, heard.dim(1)));
  }
}
