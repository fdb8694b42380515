import { broadcastTo, concatenate, reshape, slice, transpose, type Tensor } from "../../mlx/index.js";
import type { Weights } from "../../nn/weights.js";
import type { MediaFeatures, MediaItem } from "../architecture.js";
import { LlavaModel } from "../llava/model.js";
import type { LlavaNextConfig } from "./config.js";
import type { TiledImage } from "./processor.js";

/** LLaVA-NeXT: LLaVA on a picture's base and tiles. Reference: transformers 5.23, models/llava_next/modeling_llava_next.py. */
export class LlavaNextModel extends LlavaModel {
  readonly #newline: Tensor;

  constructor(weights: Weights, config: LlavaNextConfig) {
    super(weights, config);
    this.#newline = weights.take("model.image_newline", [config.text_config.hidden_size]);
  }

  override encode(item: MediaItem): MediaFeatures {
    const { pixelValues, tileRows, tileColumns, padding } = item as TiledImage;
    const features = this.project(pixelValues, 1 + tileRows * tileColumns);
    const [, patches, dims] = features.shape as [number, number, number];
    const side = Math.sqrt(patches);
    const [rows, columns] = [tileRows * side, tileColumns * side];
    const tiles = transpose(reshape(slice(features, 0, 1), [tileRows, tileColumns, side, side, dims]), [0, 2, 1, 3, 4]);
    const grid = reshape(tiles, [rows, columns, dims]);
    const shown = slice(slice(grid, 0, padding.rows, rows - padding.rows), 1, padding.columns, columns - padding.columns);
    const lines = concatenate([shown, broadcastTo(this.#newline, [shown.dim(0), 1, dims])], 1);
    return { embeddings: concatenate([reshape(slice(features, 0, 0, 1), [patches, dims]), reshape(lines, [-1, dims])], 0) };
  }

  override [Symbol.dispose](): void {
    this.#newline.dispose();
    super[Symbol.dispose]();
  }
}
