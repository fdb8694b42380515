import { add, disposeAll, linear, take, tensor, type Tensor } from "../../mlx/index.js";
import { EncoderBlock } from "../../nn/encoder-block.js";
import { disposeModules } from "../../nn/module.js";
import { LayerNorm } from "../../nn/norm.js";
import { patchMatrix } from "../../nn/patch-matrix.js";
import type { QuantizationConfig } from "../../nn/quantization.js";
import type { Weights } from "../../nn/weights.js";
import type { Idefics3VisionConfig } from "./config.js";
import { positionBuckets } from "./positions.js";
import type { TiledImage } from "./tiles.js";

// The vision tower of Idefics3 (arXiv:2408.12637) and SmolVLM (arXiv:2504.05299): SigLIP's encoder over square tiles. The reference masks the
// patches of padding; its image processor never makes any, so there is no mask here.
// Reference: transformers 5.23, models/idefics3/modeling_idefics3.py.

export class VisionTower implements Disposable {
  readonly #config: Idefics3VisionConfig;
  readonly #patchWeight: Tensor;
  readonly #patchBias: Tensor;
  readonly #positions: Tensor;
  readonly #blocks: EncoderBlock[];
  readonly #norm: LayerNorm;

  constructor(weights: Weights, path: string, config: Idefics3VisionConfig, quantization?: QuantizationConfig) {
    const { hidden_size: dims, image_size, patch_size, layer_norm_eps: eps } = config;
    this.#config = config;
    this.#patchWeight = patchMatrix(weights, `${path}.embeddings.patch_embedding.weight`, { outputs: dims, channels: config.num_channels, patchSize: patch_size });
    this.#patchBias = weights.take(`${path}.embeddings.patch_embedding.bias`, [dims]);
    this.#positions = weights.take(`${path}.embeddings.position_embedding.weight`, [Math.floor(image_size / patch_size) ** 2, dims]);
    this.#blocks = Array.from({ length: config.num_hidden_layers }, (_, i) => new EncoderBlock(weights, `${path}.encoder.layers.${i}`, config, quantization));
    this.#norm = new LayerNorm(weights, `${path}.post_layernorm`, dims, eps);
    // mlx-vlm's towers may carry the table's indices.
    weights.ignore(`${path}.embeddings.position_ids`);
  }

  /** `[tiles, N, D]`, patches row by row. */
  forward({ pixelValues, tiles, sidePx }: TiledImage): Tensor {
    const { image_size, patch_size } = this.#config;
    const side = Math.floor(sidePx / patch_size);
    const known = Math.floor(image_size / patch_size);
    const buckets = positionBuckets(side, known);
    const places = Int32Array.from({ length: side * side }, (_, i) => buckets[Math.floor(i / side)]! * known + buckets[i % side]!);
    const pixels = tensor(patchify(pixelValues, tiles, sidePx, patch_size), [tiles, side * side, 3 * patch_size ** 2], this.#positions.dtype);
    let hidden = add(linear(pixels, this.#patchWeight, this.#patchBias), take(this.#positions, tensor(places), 0));
    for (const block of this.#blocks) hidden = block.forward(hidden);
    return this.#norm.forward(hidden);
  }

  [Symbol.dispose](): void {
    disposeAll([this.#patchWeight, this.#patchBias, this.#positions]);
    disposeModules(this.#blocks, this.#norm);
  }
}

/** `[tiles, 3, side, side]` to patches row by row, each `[3, P, P]`; what is left over on the right and below is not seen. */
function patchify(pixels: Float32Array, tiles: number, sidePx: number, patch: number): Float32Array<ArrayBuffer> {
  const grid = Math.floor(sidePx / patch);
  const out = new Float32Array(tiles * grid * grid * 3 * patch * patch);
  let o = 0;
  for (let tile = 0; tile < tiles; tile++) {
    for (let row = 0; row < grid; row++) {
      for (let column = 0; column < grid; column++) {
        for (let channel = 0; channel < 3; channel++) {
          for (let y = 0; y < patch; y++, o += patch) {
            const from = ((tile * 3 + channel) * sidePx + row * patch + y) * sidePx + column * patch;
            out.set(pixels.subarray(from, from + patch), o);
          }
        }
      }
    }
  }
  return out;
}
