import { cropped, type ClipImageProcessor } from "../../image/clip-processor.js";
import { imageContentHash, type DecodedImage } from "../../image/decode.js";
import { resizeBicubic } from "../../image/resize.js";
import type { PixelSize } from "../../image/smart-resize.js";
import type { MediaItem, Processor, ProcessorInput, Prompt } from "../architecture.js";
import { layOutImages } from "../qwen-vl-prompt.js";
import type { LlavaNextConfig } from "./config.js";
import { bestSize, fittedSize, unpadding } from "./grid.js";

/** The whole picture as a square, and the tiles of a larger one. */
export interface TiledImage extends MediaItem {
  /** Patches of the base and of each tile, row by row. */
  pixelValues: Float32Array<ArrayBuffer>;
  tileRows: number;
  tileColumns: number;
  /** Rows and columns of features on each side of the tiles that show padding. */
  padding: { rows: number; columns: number };
  mergedTokens: number;
}

/** LLaVA-NeXT's prompt: a picture's mark becomes as many as its base and its tiles take, a newline at the end of each row of tiles' features. */
export class LlavaNextProcessor implements Processor {
  readonly #images: ClipImageProcessor;
  readonly #config: LlavaNextConfig;

  constructor(images: ClipImageProcessor, config: LlavaNextConfig) {
    this.#images = images;
    this.#config = config;
  }

  prepare({ text, images, encode }: ProcessorInput): Prompt {
    const key = `${this.#images.settingsKey} ${JSON.stringify(this.#config.image_grid_pinpoints)}`;
    const items = images.map((image) => ({ item: this.#process(image), key: `${imageContentHash(image)} ${key}` }));
    return layOutImages(encode(text), items, this.#config.image_token_id);
  }

  #process(image: DecodedImage): TiledImage {
    const { image_grid_pinpoints, vision_config } = this.#config;
    const { sidePx } = this.#images;
    const size = bestSize(image, image_grid_pinpoints);
    const canvas = centred(resizeBicubic(image, fittedSize(image, size)), size);
    const tileRows = size.heightPx / sidePx;
    const tileColumns = size.widthPx / sidePx;
    const square = { widthPx: sidePx, heightPx: sidePx };
    const tiles = [resizeBicubic(image, square)];
    for (let y = 0; y < tileRows; y++) for (let x = 0; x < tileColumns; x++) tiles.push(cropped(canvas, x * sidePx, y * sidePx, square));

    const perSide = Math.floor(sidePx / vision_config.patch_size);
    const [rows, columns] = [tileRows * perSide, tileColumns * perSide];
    const padding = unpadding(image, rows, columns);
    return {
      kind: "image",
      pixelValues: joined(tiles.map((tile) => this.#images.patches(tile))),
      tileRows,
      tileColumns,
      padding,
      mergedTokens: perSide ** 2 + (rows - 2 * padding.rows) * (columns - 2 * padding.columns + 1),
    };
  }
}

/** The picture in the middle of a black canvas. */
function centred({ data, widthPx, heightPx }: DecodedImage, size: PixelSize): DecodedImage {
  const out = new Uint8Array(size.widthPx * size.heightPx * 3);
  const left = Math.floor((size.widthPx - widthPx) / 2);
  const top = Math.floor((size.heightPx - heightPx) / 2);
  for (let y = 0; y < heightPx; y++) out.set(data.subarray(y * widthPx * 3, (y + 1) * widthPx * 3), ((top + y) * size.widthPx + left) * 3);
  return { data: out, ...size };
}

function joined(parts: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
