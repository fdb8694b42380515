import type { ProcessedImage } from "../../image/qwen-vl-processor.js";
import { add, linear, reshape, siluMultiply, take, tensor, type DType, type Tensor } from "../../mlx/index.js";
import { Linear } from "../../nn/linear.js";
import { disposeModules } from "../../nn/module.js";
import { RmsNorm } from "../../nn/norm.js";
import { axialRotary, mergeOrder, temporalPatchMatrix } from "../../nn/patch-grid.js";
import type { QuantizationConfig } from "../../nn/quantization.js";
import { VisionAttention } from "../../nn/vision-attention.js";
import type { Weights } from "../../nn/weights.js";
import type { WindowRun } from "../../nn/window-attention.js";
import { PatchMerger } from "../qwen2_vl/vision.js";
import type { Qwen25VLVisionConfig } from "./config.js";
import { windowLayout } from "./windows.js";

// Qwen2.5-VL's vision tower (arXiv:2502.13923): as Qwen2-VL's, with RMS norms and SwiGLU, and most blocks attending in windows.
// Reference: transformers 5.23, models/qwen2_5_vl/modeling_qwen2_5_vl.py.

const EPS = 1e-6;

class Block implements Disposable {
  readonly #norm1: RmsNorm;
  readonly #norm2: RmsNorm;
  readonly #attention: VisionAttention;
  readonly #gate: Linear;
  readonly #up: Linear;
  readonly #down: Linear;

  constructor(weights: Weights, path: string, { hidden_size: dims, intermediate_size: hidden, num_heads: heads }: Qwen25VLVisionConfig, quantization?: QuantizationConfig) {
    this.#norm1 = new RmsNorm(weights, `${path}.norm1`, dims, EPS);
    this.#norm2 = new RmsNorm(weights, `${path}.norm2`, dims, EPS);
    this.#attention = new VisionAttention(weights, `${path}.attn`, { dims, heads, quantization });
    this.#gate = new Linear(weights, `${path}.mlp.gate_proj`, { inputs: dims, outputs: hidden, bias: true, quantization });
    this.#up = new Linear(weights, `${path}.mlp.up_proj`, { inputs: dims, outputs: hidden, bias: true, quantization });
    this.#down = new Linear(weights, `${path}.mlp.down_proj`, { inputs: hidden, outputs: dims, bias: true, quantization });
  }

  /** x `[F, N, D]` */
  forward(x: Tensor, rotary: { cos: Tensor; sin: Tensor }, windows: readonly WindowRun[] | undefined): Tensor {
    const attended = add(x, this.#attention.forward(this.#norm1.forward(x), rotary, windows));
    const normed = this.#norm2.forward(attended);
    return add(attended, this.#down.forward(siluMultiply(this.#gate.forward(normed), this.#up.forward(normed))));
  }

  [Symbol.dispose](): void {
    disposeModules(this.#norm1, this.#norm2, this.#attention, this.#gate, this.#up, this.#down);
  }
}

export class VisionTower implements Disposable {
  readonly #config: Qwen25VLVisionConfig;
  readonly #dtype: DType;
  readonly #patchWeight: Tensor;
  readonly #blocks: Block[];
  readonly #merger: PatchMerger;

  constructor(weights: Weights, path: string, config: Qwen25VLVisionConfig, quantization?: QuantizationConfig) {
    const { hidden_size: dims, out_hidden_size: outputs, spatial_merge_size: mergeSize } = config;
    this.#config = config;
    this.#patchWeight = temporalPatchMatrix(weights, `${path}.patch_embed.proj.weight`, { outputs: dims, channels: config.in_channels, frames: config.temporal_patch_size, patchSize: config.patch_size });
    this.#dtype = weights.dtype ?? this.#patchWeight.dtype;
    this.#blocks = Array.from({ length: config.depth }, (_, i) => new Block(weights, `${path}.blocks.${i}`, config, quantization));
    this.#merger = new PatchMerger(weights, `${path}.merger`, new RmsNorm(weights, `${path}.merger.ln_q`, dims, EPS), { dims, outputs, mergeSize, quantization });
  }

  /** `[t · h · w / merge², D]`, D the width of the decoder. Between the first and the last step, rows lie window by window. */
  forward({ pixelValues, gridThw: [frames, height, width] }: ProcessedImage): Tensor {
    const { hidden_size: dims, out_hidden_size, num_heads: heads, patch_size, spatial_merge_size: merge, window_size, fullatt_block_indexes } = this.#config;
    const blocks = (height * width) / merge ** 2;
    const { order, places, runs } = windowLayout(height / merge, width / merge, Math.floor(window_size / merge / patch_size));
    const windows = runs.map(({ count, size }) => ({ count, size: size * merge ** 2 }));
    const rotary = axialRotary(inBlockOrder(mergeOrder(height, width, merge), order, merge), dims / heads);

    const patches = linear(tensor(pixelValues, [frames, height * width, this.#patchWeight.dim(1)], this.#dtype), this.#patchWeight);
    let hidden = reshape(take(reshape(patches, [frames, blocks, merge ** 2 * dims]), tensor(order), 1), [frames, height * width, dims]);
    this.#blocks.forEach((block, i) => (hidden = block.forward(hidden, rotary, fullatt_block_indexes.includes(i) ? undefined : windows)));
    const merged = reshape(this.#merger.forward(hidden), [frames, blocks, out_hidden_size]);
    return reshape(take(merged, tensor(places), 1), [frames * blocks, out_hidden_size]);
  }

  [Symbol.dispose](): void {
    disposeModules(this.#patchWeight, this.#blocks, this.#merger);
  }
}

/** Rows and columns of patches `[N, 2]` with their merge blocks in another order. */
function inBlockOrder(patches: Int32Array, order: Int32Array, mergeSize: number): Int32Array {
  const length = 2 * mergeSize ** 2;
  const ordered = new Int32Array(patches.length);
  order.forEach((block, place) => ordered.set(patches.subarray(block * length, (block + 1) * length), place * length));
  return ordered;
}
