import { add, broadcastTo, concatenate, linear, slice, tensor, type DType, type Tensor } from "../../mlx/index.js";
import { EncoderBlock } from "../../nn/encoder-block.js";
import { disposeModules } from "../../nn/module.js";
import { LayerNorm } from "../../nn/norm.js";
import { patchMatrix } from "../../nn/patch-matrix.js";
import type { QuantizationConfig } from "../../nn/quantization.js";
import type { Weights } from "../../nn/weights.js";
import type { TowerConfig } from "./config.js";

// The vision towers of CLIP (arXiv:2103.00020) and SigLIP (arXiv:2303.15343): square pictures of one size, learned positions. CLIP's has a
// class token before the patches and a norm before the blocks, SigLIP's patches a bias.
// Reference: transformers 5.23, models/clip/modeling_clip.py and models/siglip/modeling_siglip.py.

export interface TowerOptions {
  /** States to give, side by side: 0 the first block's input, n the output of the n-th. */
  layers: readonly number[];
  /** Whether the class token's row is among them; a tower without one has none to leave out. */
  classToken: boolean;
  quantization?: QuantizationConfig;
}

export class VisionTower implements Disposable {
  readonly #options: TowerOptions;
  readonly #patchWeight: Tensor;
  readonly #patchBias: Tensor | undefined;
  readonly #class: Tensor | undefined;
  readonly #positions: Tensor;
  readonly #dtype: DType;
  readonly #norm: LayerNorm | undefined;
  readonly #blocks: EncoderBlock[];

  constructor(weights: Weights, path: string, config: TowerConfig, options: TowerOptions) {
    const { hidden_size: dims, num_channels: channels, patch_size: patchSize, image_size, layer_norm_eps: eps } = config;
    this.#options = options;
    this.#patchWeight = patchMatrix(weights, `${path}.embeddings.patch_embedding.weight`, { outputs: dims, channels, patchSize });
    const isClip = config.model_type === "clip_vision_model";
    this.#patchBias = isClip ? undefined : weights.take(`${path}.embeddings.patch_embedding.bias`, [dims]);
    this.#class = isClip ? weights.take(`${path}.embeddings.class_embedding`, [dims]) : undefined;
    this.#positions = weights.take(`${path}.embeddings.position_embedding.weight`, [Math.floor(image_size / patchSize) ** 2 + (isClip ? 1 : 0), dims]);
    this.#dtype = weights.dtype ?? this.#positions.dtype;
    this.#norm = isClip ? new LayerNorm(weights, `${path}.pre_layrnorm`, dims, eps) : undefined;
    this.#blocks = Array.from({ length: config.num_hidden_layers }, (_, i) => new EncoderBlock(weights, `${path}.encoder.layers.${i}`, config, options.quantization));
    // Those beyond are bound, so that their weights are known, and let go before they are read.
    disposeModules(this.#blocks.splice(Math.max(...options.layers)));
    for (const name of ["weight", "bias"]) weights.skip(`${path}.post_layernorm.${name}`);
    weights.ignore(`${path}.embeddings.position_ids`);
    // SigLIP pools its rows to one, which nothing here looks at.
    weights.ignoreUnder(`${path}.head.`);
  }

  /** Patches of `pictures` pictures, row-major `[pictures, patches, 3 · patchSize²]` → `[pictures, (1 +) patches, D · layers]` */
  forward(pixelValues: Float32Array<ArrayBuffer>, pictures: number): Tensor {
    const [positions, dims] = this.#positions.shape as [number, number];
    const patches = positions - (this.#class === undefined ? 0 : 1);
    const pixels = tensor(pixelValues, [pictures, patches, pixelValues.length / (pictures * patches)], this.#dtype);
    const embedded = linear(pixels, this.#patchWeight, this.#patchBias);
    const rows = this.#class === undefined ? embedded : concatenate([broadcastTo(this.#class, [pictures, 1, dims]), embedded], 1);
    const placed = add(rows, this.#positions);
    let hidden = this.#norm?.forward(placed) ?? placed;
    const states = [hidden];
    for (const block of this.#blocks) states.push((hidden = block.forward(hidden)));
    const selected = this.#options.layers.map((layer) => states[layer] as Tensor);
    const features = selected.length === 1 ? (selected[0] as Tensor) : concatenate(selected, -1);
    return this.#options.classToken || this.#class === undefined ? features : slice(features, 1, 1);
  }

  [Symbol.dispose](): void {
    disposeModules(this.#patchWeight, this.#patchBias, this.#class, this.#positions, this.#norm, this.#blocks);
  }
}
