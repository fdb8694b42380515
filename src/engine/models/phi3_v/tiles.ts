import { z } from "zod";
import type { DecodedImage } from "../../image/decode.js";
import { readImageProcessor } from "../../image/pixel-values.js";
import { resizeBicubic } from "../../image/resize.js";
import type { PixelSize } from "../../image/smart-resize.js";

const CHANNELS = 3;
/** Side of a tile: what CLIP ViT-L/14-336 sees. */
export const TILE_PX = 336;
export const PATCH_PX = 14;
/** Tokens along a tile's side: its patches, two by two. */
export const TILE_TOKENS = TILE_PX / PATCH_PX / 2;
const perChannel = z.array(z.number()).length(CHANNELS);

/** Defaults are those of mlx-vlm's `Phi3VImageProcessor`. */
const schema = z.object({
  num_crops: z.number().int().positive().default(4),
  num_img_tokens: z.literal(TILE_TOKENS ** 2).default(TILE_TOKENS ** 2),
  image_mean: perChannel.default([0.48145466, 0.4578275, 0.40821073]),
  image_std: perChannel.default([0.26862954, 0.26130258, 0.27577711]),
});

/** A picture cut into tiles. */
export interface TiledImage {
  /** `[1 + rows · columns, patches, 3 · 14 · 14]`: the whole picture in one tile, then its tiles row by row; patches row by row. */
  patches: Float32Array<ArrayBuffer>;
  rows: number;
  columns: number;
}

/** Decoder rows a picture takes: every row of tokens of its tiles ends in a separator, one more stands before the whole picture. */
export function tokenCount({ rows, columns }: Pick<TiledImage, "rows" | "columns">): number {
  const block = (height: number, width: number): number => height * TILE_TOKENS * (width * TILE_TOKENS + 1);
  return block(rows, columns) + 1 + block(1, 1);
}

/**
 * The image processor of Phi-3-Vision: the picture fills the grid of at most `num_crops` tiles that suits its shape, and is seen whole besides.
 * Source: mlx-vlm 0.7.10, models/phi3_v/processing_phi3_v.py.
 */
export class TileProcessor {
  /** Names every setting that changes `process`'s result, for cache keys. */
  readonly settingsKey: string;
  readonly #crops: number;
  readonly #levels: Float32Array;

  private constructor(settings: z.output<typeof schema>) {
    this.#crops = settings.num_crops;
    this.settingsKey = JSON.stringify(settings);
    // Unlike transformers, the reference normalises in double precision.
    this.#levels = Float32Array.from({ length: CHANNELS * 256 }, (_, i) => (Math.fround((i & 255) / 255) - settings.image_mean[i >> 8]!) / settings.image_std[i >> 8]!);
  }

  /** @throws DeskhandError `invalid_model` when the folder has no image processor's settings, naming the field at fault. */
  static async load(dir: string): Promise<TileProcessor> {
    return new TileProcessor(await readImageProcessor(dir, schema));
  }

  process(image: DecodedImage): TiledImage {
    const { rows, columns } = gridFor(image, this.#crops);
    const scaled = resizeBicubic(image, { widthPx: columns * TILE_PX, heightPx: rows * TILE_PX });
    const whole = resizeBicubic(scaled, { widthPx: TILE_PX, heightPx: TILE_PX });
    const perTile = TILE_PX * TILE_PX * CHANNELS;
    const patches = new Float32Array((1 + rows * columns) * perTile);
    this.#cut(whole, 0, 0, patches.subarray(0, perTile));
    for (let tile = 0; tile < rows * columns; tile++) {
      this.#cut(scaled, (tile % columns) * TILE_PX, Math.floor(tile / columns) * TILE_PX, patches.subarray((tile + 1) * perTile, (tile + 2) * perTile));
    }
    return { patches, rows, columns };
  }

  /** One tile's patches, each `[3, P, P]`, normalised. */
  #cut({ data, widthPx }: DecodedImage, left: number, top: number, out: Float32Array): void {
    let o = 0;
    for (let y = top; y < top + TILE_PX; y += PATCH_PX) {
      for (let x = left; x < left + TILE_PX; x += PATCH_PX) {
        for (let channel = 0; channel < CHANNELS; channel++) {
          for (let row = y; row < y + PATCH_PX; row++) {
            let from = (row * widthPx + x) * CHANNELS + channel;
            for (let i = 0; i < PATCH_PX; i++, from += CHANNELS) out[o++] = this.#levels[(channel << 8) + data[from]!]!;
          }
        }
      }
    }
  }
}

/** The most tiles along the longer side for which all of them are at most `crops`. */
function gridFor({ widthPx, heightPx }: PixelSize, crops: number): { rows: number; columns: number } {
  const ratio = Math.max(widthPx, heightPx) / Math.min(widthPx, heightPx);
  let long = 1;
  while ((long + 1) * Math.ceil((long + 1) / ratio) <= crops) long++;
  const short = Math.ceil(Math.trunc((long * TILE_PX) / ratio) / TILE_PX);
  return widthPx < heightPx ? { rows: long, columns: Math.max(short, 1) } : { rows: Math.max(short, 1), columns: long };
}
