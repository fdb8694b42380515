import { add, concatenate, disposeAll, linear, matmul, mean, reshape, tensor, type Tensor } from "../../mlx/index.js";
import { EncoderBlock } from "../../nn/encoder-block.js";
import { disposeModules } from "../../nn/module.js";
import { LayerNorm, RmsNorm } from "../../nn/norm.js";
import { patchMatrix } from "../../nn/patch-matrix.js";
import type { QuantizationConfig } from "../../nn/quantization.js";
import type { Weights } from "../../nn/weights.js";
import type { Gemma3VisionConfig } from "./config.js";
import type { PictureViews } from "./views.js";

// Gemma 3's eyes: SigLIP's encoder (arXiv:2303.15343) over a square, averaged in squares of patches and projected to the decoder's width.
// Reference: transformers 5.23, models/siglip/modeling_siglip.py and models/gemma3/modeling_gemma3.py.

class VisionTower implements Disposable {
  readonly #patchWeight: Tensor;
  readonly #patchBias: Tensor;
  readonly #positions: Tensor;
  readonly #blocks: EncoderBlock[];
  readonly #norm: LayerNorm;

  constructor(weights: Weights, path: string, config: Gemma3VisionConfig, quantization?: QuantizationConfig) {
    const { hidden_size: dims, image_size, patch_size: patchSize, num_channels: channels, layer_norm_eps: eps } = config;
    this.#patchWeight = patchMatrix(weights, `${path}.embeddings.patch_embedding.weight`, { outputs: dims, channels, patchSize });
    this.#patchBias = weights.take(`${path}.embeddings.patch_embedding.bias`, [dims]);
    this.#positions = weights.take(`${path}.embeddings.position_embedding.weight`, [Math.floor(image_size / patchSize) ** 2, dims]);
    this.#blocks = Array.from({ length: config.num_hidden_layers }, (_, i) => new EncoderBlock(weights, `${path}.encoder.layers.${i}`, config, quantization));
    this.#norm = new LayerNorm(weights, `${path}.post_layernorm`, dims, eps);
  }

  /** One view's patches, row by row → `[1, N, D]`. */
  forward(view: Float32Array<ArrayBuffer>): Tensor {
    const patches = this.#positions.dim(0);
    const pixels = tensor(view, [1, patches, view.length / patches], this.#positions.dtype);
    let hidden = add(linear(pixels, this.#patchWeight, this.#patchBias), this.#positions);
    for (const block of this.#blocks) hidden = block.forward(hidden);
    return this.#norm.forward(hidden);
  }

  [Symbol.dispose](): void {
    disposeAll([this.#patchWeight, this.#patchBias, this.#positions]);
    disposeModules(this.#blocks, this.#norm);
  }
}

/** Averages squares of patches, so that a view has `tokensPerView` rows, and projects them. */
class Projector implements Disposable {
  readonly #side: number;
  readonly #pooledSide: number;
  readonly #norm: RmsNorm;
  readonly #weight: Tensor;

  constructor(weights: Weights, path: string, vision: Gemma3VisionConfig, { tokensPerView, outputs }: { tokensPerView: number; outputs: number }) {
    this.#side = Math.floor(vision.image_size / vision.patch_size);
    this.#pooledSide = Math.sqrt(tokensPerView);
    this.#norm = new RmsNorm(weights, `${path}.mm_soft_emb_norm`, vision.hidden_size, vision.layer_norm_eps, { fromOne: true });
    this.#weight = weights.take(`${path}.mm_input_projection_weight`, [vision.hidden_size, outputs]);
  }

  /** x `[1, side², D]` → `[tokensPerView, out]` */
  forward(x: Tensor): Tensor {
    const [side, kernel] = [this.#pooledSide, this.#side / this.#pooledSide];
    const pooled = mean(reshape(x, [side, kernel, side, kernel, -1]), [1, 3]);
    return matmul(this.#norm.forward(reshape(pooled, [side * side, -1])), this.#weight);
  }

  [Symbol.dispose](): void {
    disposeModules(this.#norm);
    this.#weight.dispose();
  }
}

export class Gemma3Vision implements Disposable {
  readonly #tower: VisionTower;
  readonly #projector: Projector;

  constructor(weights: Weights, config: Gemma3VisionConfig, options: { tokensPerView: number; outputs: number; quantization?: QuantizationConfig }) {
    this.#tower = new VisionTower(weights, "vision_tower", config, options.quantization);
    this.#projector = new Projector(weights, "multi_modal_projector", config, options);
  }

  /** `[views · tokensPerView, out]`. A view at a time: attention over thousands of patches takes memory. */
  forward({ views }: PictureViews): Tensor {
    return concatenate(views.map((view) => this.#projector.forward(this.#tower.forward(view))), 0);
  }

  [Symbol.dispose](): void {
    disposeModules(this.#tower, this.#projector);
  }
}
