import { add, broadcastTo, concatenate, disposeAll, gelu, linear, reshape, slice, tensor, transpose, type Tensor } from "../../mlx/index.js";
import { EncoderBlock } from "../../nn/encoder-block.js";
import { Linear } from "../../nn/linear.js";
import { disposeModules } from "../../nn/module.js";
import { LayerNorm } from "../../nn/norm.js";
import { patchMatrix } from "../../nn/patch-matrix.js";
import type { Weights } from "../../nn/weights.js";
import type { Phi3VConfig, Phi3VVisionConfig } from "./config.js";
import { PATCH_PX, TILE_PX, TILE_TOKENS, type TiledImage } from "./tiles.js";

// Phi-3-Vision's eyes: CLIP's tower (arXiv:2103.00020) without its last layer over each tile, two by two patches a token, rows of tokens that
// run through all tiles and end in a learned separator. Reference: mlx-vlm 0.7.10, models/phi3_v/vision.py; it runs rows through one tile after
// the other, which is the same for a single column of tiles and not what the published weights were trained with for more.

const SIDE = TILE_PX / PATCH_PX;
const CHANNELS = 3;

export class VisionTower implements Disposable {
  readonly #config: Phi3VVisionConfig;
  readonly #classEmbedding: Tensor;
  readonly #patchWeight: Tensor;
  readonly #positions: Tensor;
  readonly #preNorm: LayerNorm;
  readonly #blocks: EncoderBlock[];
  readonly #separator: Tensor;
  readonly #globalSeparator: Tensor;
  readonly #project: Linear;
  readonly #projectOut: Linear;

  constructor(weights: Weights, path: string, config: Phi3VConfig) {
    const { vision_config: vision, quantization } = config;
    const { hidden_size: text } = config.text;
    const { hidden_size: dims, num_hidden_layers: layers } = vision;
    const clip = `${path}.img_processor.vision_model`;
    this.#config = vision;
    this.#classEmbedding = weights.take(`${clip}.embeddings.class_embedding`, [dims]);
    this.#patchWeight = patchMatrix(weights, `${clip}.embeddings.patch_embedding.weight`, { outputs: dims, channels: CHANNELS, patchSize: PATCH_PX });
    this.#positions = weights.take(`${clip}.embeddings.position_embedding.weight`, [SIDE ** 2 + 1, dims]);
    this.#preNorm = new LayerNorm(weights, `${clip}.pre_layrnorm`, dims, vision.layer_norm_eps);
    const blocks = Array.from({ length: layers }, (_, i) => new EncoderBlock(weights, `${clip}.encoder.layers.${i}`, vision, quantization));
    // The last layer and the norm after it are stored, but what they make is not looked at.
    disposeModules(blocks.pop());
    this.#blocks = blocks;
    for (const name of ["weight", "bias"]) weights.skip(`${clip}.post_layernorm.${name}`);
    weights.ignore(`${clip}.embeddings.position_ids`);
    this.#separator = weights.take(`${path}.sub_GN`, [1, 1, 1, 4 * dims]);
    this.#globalSeparator = weights.take(`${path}.glb_GN`, [1, 1, 4 * dims]);
    this.#project = new Linear(weights, `${path}.img_projection.0`, { inputs: 4 * dims, outputs: text, bias: true, quantization });
    this.#projectOut = new Linear(weights, `${path}.img_projection.2`, { inputs: text, outputs: text, bias: true, quantization });
  }

  /** `[tokens, D]`: the tiles' rows, a separator, the whole picture's rows. */
  forward({ patches, rows, columns }: TiledImage): Tensor {
    const seen = this.#see(patches, 1 + rows * columns);
    const tiles = this.#rows(slice(seen, 0, 1), rows, columns);
    const whole = this.#rows(slice(seen, 0, 0, 1), 1, 1);
    const joined = concatenate([tiles, reshape(this.#globalSeparator, [1, -1]), whole], 0);
    return this.#projectOut.forward(gelu(this.#project.forward(joined)));
  }

  /** Patches to features `[tiles, 24 · 24, D]`. */
  #see(patches: Float32Array<ArrayBuffer>, tiles: number): Tensor {
    const dims = this.#config.hidden_size;
    const pixels = tensor(patches, [tiles, SIDE ** 2, CHANNELS * PATCH_PX ** 2], this.#positions.dtype);
    const start = broadcastTo(this.#classEmbedding, [tiles, 1, dims]);
    let hidden = this.#preNorm.forward(add(concatenate([start, linear(pixels, this.#patchWeight)], 1), this.#positions));
    for (const block of this.#blocks) hidden = block.forward(hidden);
    return slice(hidden, 1, 1);
  }

  /** Features of `rows` × `columns` tiles to tokens row by row through all tiles, each row with a separator after it: `[n, 4 D]`. */
  #rows(features: Tensor, rows: number, columns: number): Tensor {
    const dims = this.#config.hidden_size;
    const [height, width] = [rows * TILE_TOKENS, columns * TILE_TOKENS];
    // Tile row, tile column, token row, patch row, token column, patch column.
    const apart = reshape(features, [rows, columns, TILE_TOKENS, 2, TILE_TOKENS, 2 * dims]);
    const tokens = reshape(transpose(apart, [0, 2, 1, 4, 3, 5]), [height, width, 4 * dims]);
    const separators = broadcastTo(reshape(this.#separator, [1, 1, 4 * dims]), [height, 1, 4 * dims]);
    return reshape(concatenate([tokens, separators], 1), [height * (width + 1), 4 * dims]);
  }

  [Symbol.dispose](): void {
    disposeAll([this.#classEmbedding, this.#patchWeight, this.#positions, this.#separator, this.#globalSeparator]);
    disposeModules(this.#preNorm, this.#blocks, this.#project, this.#projectOut);
  }
}
