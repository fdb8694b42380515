import type { ProcessedImage } from "../../image/qwen-vl-processor.js";
import { add, gelu, linear, multiply, reshape, sigmoid, tensor, type DType, type Tensor } from "../../mlx/index.js";
import { Linear } from "../../nn/linear.js";
import { disposeModules } from "../../nn/module.js";
import { LayerNorm } from "../../nn/norm.js";
import { axialRotary, mergeOrder, temporalPatchMatrix } from "../../nn/patch-grid.js";
import type { QuantizationConfig } from "../../nn/quantization.js";
import { VisionAttention } from "../../nn/vision-attention.js";
import type { Weights } from "../../nn/weights.js";
import type { Qwen2VLVisionConfig } from "./config.js";

// Qwen2-VL's vision tower (arXiv:2409.12191): patches in merge-block order, axial rotary attention, and a merger.
// Reference: transformers 5.23, models/qwen2_vl/modeling_qwen2_vl.py.

const EPS = 1e-6;
/** `quick_gelu`: x · sigmoid(1.702 x). */
const GELU_SLOPE = 1.702;

class Block implements Disposable {
  readonly #norm1: LayerNorm;
  readonly #norm2: LayerNorm;
  readonly #attention: VisionAttention;
  readonly #fc1: Linear;
  readonly #fc2: Linear;

  constructor(weights: Weights, path: string, { embed_dim: dims, mlp_ratio, num_heads: heads }: Qwen2VLVisionConfig, quantization?: QuantizationConfig) {
    const hidden = Math.trunc(dims * mlp_ratio);
    this.#norm1 = new LayerNorm(weights, `${path}.norm1`, dims, EPS);
    this.#norm2 = new LayerNorm(weights, `${path}.norm2`, dims, EPS);
    this.#attention = new VisionAttention(weights, `${path}.attn`, { dims, heads, quantization });
    this.#fc1 = new Linear(weights, `${path}.mlp.fc1`, { inputs: dims, outputs: hidden, bias: true, quantization });
    this.#fc2 = new Linear(weights, `${path}.mlp.fc2`, { inputs: hidden, outputs: dims, bias: true, quantization });
  }

  /** x `[F, N, D]` */
  forward(x: Tensor, rotary: { cos: Tensor; sin: Tensor }): Tensor {
    const attended = add(x, this.#attention.forward(this.#norm1.forward(x), rotary));
    const wide = this.#fc1.forward(this.#norm2.forward(attended));
    return add(attended, this.#fc2.forward(multiply(wide, sigmoid(multiply(wide, GELU_SLOPE)))));
  }

  [Symbol.dispose](): void {
    disposeModules(this.#norm1, this.#norm2, this.#attention, this.#fc1, this.#fc2);
  }
}

export interface MergerOptions {
  /** Width of the tower. */
  dims: number;
  /** Width of the decoder. */
  outputs: number;
  mergeSize: number;
  quantization?: QuantizationConfig;
}

/** Joins each merge block's patches into one row of the decoder's width. */
export class PatchMerger implements Disposable {
  readonly #norm: Disposable & { forward(x: Tensor): Tensor };
  readonly #fc1: Linear;
  readonly #fc2: Linear;
  readonly #dims: number;

  /** @param norm of single patches, `ln_q`; the merger owns it. */
  constructor(weights: Weights, path: string, norm: Disposable & { forward(x: Tensor): Tensor }, { dims, outputs, mergeSize, quantization }: MergerOptions) {
    this.#dims = dims * mergeSize ** 2;
    this.#norm = norm;
    this.#fc1 = new Linear(weights, `${path}.mlp.0`, { inputs: this.#dims, outputs: this.#dims, bias: true, quantization });
    this.#fc2 = new Linear(weights, `${path}.mlp.2`, { inputs: this.#dims, outputs, bias: true, quantization });
  }

  /** x `[F, N, D]` → `[F · N / merge², out]` */
  forward(x: Tensor): Tensor {
    return this.#fc2.forward(gelu(this.#fc1.forward(reshape(this.#norm.forward(x), [-1, this.#dims]))));
  }

  [Symbol.dispose](): void {
    disposeModules(this.#norm, this.#fc1, this.#fc2);
  }
}

export class VisionTower implements Disposable {
  readonly #config: Qwen2VLVisionConfig;
  readonly #dtype: DType;
  readonly #patchWeight: Tensor;
  readonly #blocks: Block[];
  readonly #merger: PatchMerger;

  constructor(weights: Weights, path: string, config: Qwen2VLVisionConfig, quantization?: QuantizationConfig) {
    const { embed_dim: dims, hidden_size: outputs, spatial_merge_size: mergeSize } = config;
    this.#config = config;
    this.#patchWeight = temporalPatchMatrix(weights, `${path}.patch_embed.proj.weight`, { outputs: dims, channels: config.in_channels, frames: config.temporal_patch_size, patchSize: config.patch_size });
    this.#dtype = weights.dtype ?? this.#patchWeight.dtype;
    this.#blocks = Array.from({ length: config.depth }, (_, i) => new Block(weights, `${path}.blocks.${i}`, config, quantization));
    this.#merger = new PatchMerger(weights, `${path}.merger`, new LayerNorm(weights, `${path}.merger.ln_q`, dims, EPS), { dims, outputs, mergeSize, quantization });
  }

  /** `[t · h · w / merge², D]`, D the width of the decoder. */
  forward({ pixelValues, gridThw: [frames, height, width] }: ProcessedImage): Tensor {
    const { embed_dim: dims, num_heads: heads, spatial_merge_size: mergeSize } = this.#config;
    const rotary = axialRotary(mergeOrder(height, width, mergeSize), dims / heads);
    let hidden = linear(tensor(pixelValues, [frames, height * width, this.#patchWeight.dim(1)], this.#dtype), this.#patchWeight);
    for (const block of this.#blocks) hidden = block.forward(hidden, rotary);
    return this.#merger.forward(hidden);
  }

  [Symbol.dispose](): void {
    disposeModules(this.#patchWeight, this.#blocks, this.#merger);
  }
}
