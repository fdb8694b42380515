import type { ProcessedImage } from "../../image/qwen-vl-processor.js";
import { add, disposeAll, gelu, geluTanh, linear, multiply, reshape, sum, take, tensor, type Tensor } from "../../mlx/index.js";
import { Linear } from "../../nn/linear.js";
import { disposeModules } from "../../nn/module.js";
import { LayerNorm } from "../../nn/norm.js";
import { axialRotary, mergeOrder, temporalPatchMatrix } from "../../nn/patch-grid.js";
import type { QuantizationConfig } from "../../nn/quantization.js";
import { VisionAttention } from "../../nn/vision-attention.js";
import type { Weights } from "../../nn/weights.js";
import type { Qwen3VLVisionConfig } from "./config.js";
import { bilinearTaps } from "./vision-grid.js";

// Qwen3-VL's vision tower (arXiv:2511.21631): patches in merge-block order, learned positions interpolated to the grid, axial
// rotary attention, and mergers that also feed early layers of the decoder (DeepStack, arXiv:2406.04334).
// Reference: transformers 5.23, models/qwen3_vl/modeling_qwen3_vl.py.

const EPS = 1e-6;

class Block implements Disposable {
  readonly #norm1: LayerNorm;
  readonly #norm2: LayerNorm;
  readonly #attention: VisionAttention;
  readonly #fc1: Linear;
  readonly #fc2: Linear;

  constructor(weights: Weights, path: string, { hidden_size: dims, intermediate_size: hidden, num_heads }: Qwen3VLVisionConfig, quantization?: QuantizationConfig) {
    this.#norm1 = new LayerNorm(weights, `${path}.norm1`, dims, EPS);
    this.#norm2 = new LayerNorm(weights, `${path}.norm2`, dims, EPS);
    this.#attention = new VisionAttention(weights, `${path}.attn`, { dims, heads: num_heads, quantization });
    this.#fc1 = new Linear(weights, `${path}.mlp.linear_fc1`, { inputs: dims, outputs: hidden, bias: true, quantization });
    this.#fc2 = new Linear(weights, `${path}.mlp.linear_fc2`, { inputs: hidden, outputs: dims, bias: true, quantization });
  }

  /** x `[F, N, D]`: frames attend within themselves. */
  forward(x: Tensor, rotary: { cos: Tensor; sin: Tensor }): Tensor {
    const attended = add(x, this.#attention.forward(this.#norm1.forward(x), rotary));
    return add(attended, this.#fc2.forward(geluTanh(this.#fc1.forward(this.#norm2.forward(attended)))));
  }

  [Symbol.dispose](): void {
    disposeModules(this.#norm1, this.#norm2, this.#attention, this.#fc1, this.#fc2);
  }
}

/** Joins each merge block's patches into one row of the decoder's width. */
class Merger implements Disposable {
  readonly #norm: LayerNorm;
  readonly #fc1: Linear;
  readonly #fc2: Linear;
  readonly #dims: number;
  readonly #normAfter: boolean;

  constructor(weights: Weights, path: string, config: Qwen3VLVisionConfig, options: { normAfterMerge: boolean; quantization?: QuantizationConfig }) {
    const { hidden_size, spatial_merge_size, out_hidden_size } = config;
    const { quantization } = options;
    this.#dims = hidden_size * spatial_merge_size ** 2;
    this.#normAfter = options.normAfterMerge;
    this.#norm = new LayerNorm(weights, `${path}.norm`, this.#normAfter ? this.#dims : hidden_size, EPS);
    this.#fc1 = new Linear(weights, `${path}.linear_fc1`, { inputs: this.#dims, outputs: this.#dims, bias: true, quantization });
    this.#fc2 = new Linear(weights, `${path}.linear_fc2`, { inputs: this.#dims, outputs: out_hidden_size, bias: true, quantization });
  }

  /** x `[F, N, D]` → `[F · N / merge², out]` */
  forward(x: Tensor): Tensor {
    const merged = this.#normAfter ? this.#norm.forward(reshape(x, [-1, this.#dims])) : reshape(this.#norm.forward(x), [-1, this.#dims]);
    return this.#fc2.forward(gelu(this.#fc1.forward(merged)));
  }

  [Symbol.dispose](): void {
    disposeModules(this.#norm, this.#fc1, this.#fc2);
  }
}

export class VisionTower implements Disposable {
  readonly #config: Qwen3VLVisionConfig;
  readonly #patchWeight: Tensor;
  readonly #patchBias: Tensor;
  readonly #positions: Tensor;
  readonly #blocks: Block[];
  readonly #merger: Merger;
  readonly #deepstack: Merger[];

  constructor(weights: Weights, path: string, config: Qwen3VLVisionConfig, quantization?: QuantizationConfig) {
    const { hidden_size: dims, num_position_embeddings, deepstack_visual_indexes } = config;
    this.#config = config;
    this.#patchWeight = temporalPatchMatrix(weights, `${path}.patch_embed.proj.weight`, { outputs: dims, channels: config.in_channels, frames: config.temporal_patch_size, patchSize: config.patch_size });
    this.#patchBias = weights.take(`${path}.patch_embed.proj.bias`, [dims]);
    this.#positions = weights.take(`${path}.pos_embed.weight`, [num_position_embeddings, dims]);
    this.#blocks = Array.from({ length: config.depth }, (_, i) => new Block(weights, `${path}.blocks.${i}`, config, quantization));
    this.#merger = new Merger(weights, `${path}.merger`, config, { normAfterMerge: false, quantization });
    this.#deepstack = deepstack_visual_indexes.map((_, i) => new Merger(weights, `${path}.deepstack_merger_list.${i}`, config, { normAfterMerge: true, quantization }));
  }

  forward({ pixelValues, gridThw }: ProcessedImage): { embeddings: Tensor; deepstack: Tensor[] } {
    const [frames, height, width] = gridThw;
    const patches = height * width;
    const order = mergeOrder(height, width, this.#config.spatial_merge_size);
    const rotary = axialRotary(order, this.#config.hidden_size / this.#config.num_heads);
    const pixels = tensor(pixelValues, [frames, patches, pixelValues.length / (frames * patches)], this.#positions.dtype);
    let hidden = add(linear(pixels, this.#patchWeight, this.#patchBias), this.#interpolated(order, height, width));
    const deepstack: Tensor[] = [];
    this.#blocks.forEach((block, i) => {
      hidden = block.forward(hidden, rotary);
      const tap = this.#config.deepstack_visual_indexes.indexOf(i);
      if (tap >= 0) deepstack[tap] = (this.#deepstack[tap] as Merger).forward(hidden);
    });
    return { embeddings: this.#merger.forward(hidden), deepstack };
  }

  /** Learned positions at the grid's patches, `[N, D]`: the square table sampled bilinearly, corners on corners. */
  #interpolated(order: Int32Array<ArrayBuffer>, height: number, width: number): Tensor {
    const { indices, weights } = bilinearTaps(order, height, width, Math.sqrt(this.#config.num_position_embeddings));
    const taps = reshape(take(this.#positions, tensor(indices), 0), [-1, 4, this.#config.hidden_size]);
    return sum(multiply(taps, tensor(weights, [weights.length / 4, 4, 1], taps.dtype)), [1]);
  }

  [Symbol.dispose](): void {
    disposeAll([this.#patchWeight, this.#patchBias, this.#positions]);
    disposeModules(this.#blocks, this.#merger, this.#deepstack);
  }
}
