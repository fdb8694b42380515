import type { LogMel } from "../../audio/log-mel.js";
import { add, concatenate, gelu, reshape, slice, tensor, transpose, zeros, type Tensor } from "../../mlx/index.js";
import { GridConvolution } from "../../nn/grid-convolution.js";
import { Linear } from "../../nn/linear.js";
import { disposeModules } from "../../nn/module.js";
import { LayerNorm } from "../../nn/norm.js";
import type { QuantizationConfig } from "../../nn/quantization.js";
import { sinusoids } from "../../nn/sinusoids.js";
import type { Weights } from "../../nn/weights.js";
import type { WindowRun } from "../../nn/window-attention.js";
import { AudioLayer } from "../qwen2_5_omni/audio.js";
import type { Qwen3OmniAudioConfig } from "./config.js";

// Qwen3-Omni's audio tower (arXiv:2509.17765): every second of sound convolved by itself, over time and pitch, to 13 rows; then
// Whisper's layers on windows of several seconds. Reference: transformers 5.23, models/qwen3_omni_moe/modeling_qwen3_omni_moe.py.
// A sound is heard as the reference hears it alone: in a batch it pads the last second of each to the longest of all.

const EPS = 1e-5;
const CONVOLUTIONS = 3;
/** Seconds convolved at a time: bounds the memory of the products. */
const GROUP = 16;

/** What three convolutions that halve leave of a length. */
function shortened(length: number): number {
  return Math.ceil(length / 2 ** CONVOLUTIONS);
}

/** Rows that the tower makes of so many frames of log-mel features. */
export function soundRows(frames: number, second: number): number {
  return Math.floor(frames / second) * shortened(second) + shortened(frames % second);
}

export class AudioTower implements Disposable {
  /** Frames convolved together. */
  readonly #second: number;
  /** Seconds that attend to each other. */
  readonly #windowSeconds: number;
  readonly #convolutions: GridConvolution[];
  readonly #convOut: Linear;
  readonly #positions: Tensor;
  readonly #layers: AudioLayer[];
  readonly #norm: LayerNorm;
  readonly #proj1: Linear;
  readonly #proj2: Linear;

  constructor(weights: Weights, path: string, config: Qwen3OmniAudioConfig, quantization?: QuantizationConfig) {
    const { d_model: dims, downsample_hidden_size: channels } = config;
    this.#second = 2 * config.n_window;
    this.#windowSeconds = Math.floor(config.n_window_infer / this.#second);
    this.#convolutions = Array.from({ length: CONVOLUTIONS }, (_, i) => new GridConvolution(weights, `${path}.conv2d${i + 1}`, { inputs: i === 0 ? 1 : channels, outputs: channels }));
    this.#convOut = new Linear(weights, `${path}.conv_out`, { inputs: channels * shortened(config.num_mel_bins), outputs: dims, bias: false, quantization });
    const length = shortened(this.#second);
    this.#positions = weights.derive(() => tensor(sinusoids(length, dims), [length, dims], this.#convolutions[0]?.dtype));
    const layer = { dims, heads: config.encoder_attention_heads, hidden: config.encoder_ffn_dim, keyBias: true, quantization };
    this.#layers = Array.from({ length: config.encoder_layers }, (_, i) => new AudioLayer(weights, `${path}.layers.${i}`, layer));
    this.#norm = new LayerNorm(weights, `${path}.ln_post`, dims, EPS);
    this.#proj1 = new Linear(weights, `${path}.proj1`, { inputs: dims, outputs: dims, bias: true, quantization });
    this.#proj2 = new Linear(weights, `${path}.proj2`, { inputs: dims, outputs: config.output_dim, bias: true, quantization });
  }

  /** `[soundRows(frames), D]`, D the width of the decoder. */
  forward({ data, frames, mels }: LogMel): Tensor {
    // A sound shorter than a second is not padded to one.
    const size = Math.min(frames, this.#second);
    const count = Math.ceil(frames / size);
    const features = tensor(data, [frames, mels], this.#positions.dtype);
    const padded = count * size === frames ? features : concatenate([features, zeros([count * size - frames, mels], features.dtype)], 0);
    const seconds = reshape(padded, [count, size, mels]);
    const groups = Array.from({ length: Math.ceil(count / GROUP) }, (_, i) => this.#convolve(slice(seconds, 0, i * GROUP, Math.min(count, (i + 1) * GROUP))));
    const rows = soundRows(frames, this.#second);
    const heard = reshape(concatenate(groups, 0), [1, -1, this.#positions.dim(1)]);
    let hidden = slice(heard, 1, 0, rows);
    const windows = windowRuns(rows, this.#windowSeconds * shortened(size));
    for (const layer of this.#layers) hidden = layer.forward(hidden, windows);
    return reshape(this.#proj2.forward(gelu(this.#proj1.forward(this.#norm.forward(hidden)))), [rows, -1]);
  }

  [Symbol.dispose](): void {
    this.#positions.dispose();
    disposeModules(this.#convolutions, this.#convOut, this.#layers, this.#norm, this.#proj1, this.#proj2);
  }

  /** `[B, frames, mels]` → `[B, rows, D]`; positions begin anew in each second. */
  #convolve(seconds: Tensor): Tensor {
    const [batch, frames, mels] = seconds.shape as [number, number, number];
    // The reference's grid has pitch down and time across.
    let grid = reshape(transpose(seconds, [0, 2, 1]), [batch, mels, frames, 1]);
    for (const convolution of this.#convolutions) grid = gelu(convolution.forward(grid));
    const [, height, rows, channels] = grid.shape as [number, number, number, number];
    const heard = this.#convOut.forward(reshape(transpose(grid, [0, 2, 3, 1]), [batch, rows, channels * height]));
    return add(heard, slice(this.#positions, 0, 0, rows));
  }
}

function windowRuns(rows: number, size: number): WindowRun[] {
  const runs = [
    { count: Math.floor(rows / size), size },
    { count: 1, size: rows % size },
  ];
  return runs.filter((run) => run.count > 0 && run.size > 0);
}
