import { z } from "zod";
import type { DecodedImage } from "../../image/decode.js";
import { levelTable, pixelFields, readImageProcessor } from "../../image/pixel-values.js";
import { resizeBicubic, resizeLanczos } from "../../image/resize.js";
import type { PixelSize } from "../../image/smart-resize.js";

const CHANNELS = 3;
const PIL_LANCZOS = 1;
const PIL_BICUBIC = 3;
/** No picture is taken larger than this, whatever the settings. */
const MAX_IMAGE_SIZE = 4096;
const positive = z.number().int().positive();
const longestEdge = z.object({ longest_edge: positive });

/** Defaults are those of transformers' `Idefics3ImageProcessor`, which is also SmolVLM's. */
const schema = z.object({
  image_processor_type: z.string().regex(/^(Idefics3|SmolVLM)ImageProcessor/, "only the image processor of Idefics3 and SmolVLM is supported").optional(),
  do_resize: z.boolean().default(true),
  size: longestEdge.default({ longest_edge: 4 * 364 }),
  resample: z.union([z.literal(PIL_LANCZOS), z.literal(PIL_BICUBIC)], "only Lanczos (1) and bicubic (3) resampling are supported").default(PIL_LANCZOS),
  do_image_splitting: z.boolean().default(true),
  max_image_size: longestEdge.default({ longest_edge: 364 }),
  ...pixelFields,
  image_mean: pixelFields.image_mean.removeDefault().default([0.5, 0.5, 0.5]),
  image_std: pixelFields.image_std.removeDefault().default([0.5, 0.5, 0.5]),
});

/** A picture cut into square tiles. */
export interface TiledImage {
  /** `[tiles, 3, side, side]`, row-major: rows of tiles from the top, then the whole picture in one; or the whole picture alone. */
  pixelValues: Float32Array<ArrayBuffer>;
  sidePx: number;
  tiles: number;
  /** Both 0 where the whole picture is the only tile. */
  rows: number;
  columns: number;
}

/**
 * The image processor of Idefics3 and SmolVLM: the picture is scaled to a fixed longest edge, then to whole tiles, and cut; one more tile shows
 * it whole. All tiles are squares of one size, so nothing is ever padded.
 * Source: transformers 5.23, models/idefics3/image_processing_pil_idefics3.py.
 */
export class TileProcessor {
  readonly sidePx: number;
  /** Names every setting that changes `process`'s result, for cache keys. */
  readonly settingsKey: string;
  readonly #settings: z.output<typeof schema>;
  /** The normalised value of each of the 256 levels, a channel at a time: `[3, 256]`. */
  readonly #levels: Float32Array;

  private constructor(settings: z.output<typeof schema>) {
    this.#settings = settings;
    this.sidePx = settings.max_image_size.longest_edge;
    this.settingsKey = JSON.stringify(settings);
    this.#levels = levelTable(settings);
  }

  /** @throws DeskhandError `invalid_model` when the folder has no image processor's settings, naming the field at fault. */
  static async load(dir: string): Promise<TileProcessor> {
    return new TileProcessor(await readImageProcessor(dir, schema));
  }

  process(image: DecodedImage): TiledImage {
    const { do_resize, size, do_image_splitting } = this.#settings;
    const side = this.sidePx;
    const square = { widthPx: side, heightPx: side };
    const scaled = do_resize ? this.#resize(image, scaledSize(image, size.longest_edge)) : image;
    const whole = do_image_splitting ? this.#resize(scaled, wholeTiles(scaled, side)) : this.#resize(scaled, square);
    const rows = whole.heightPx / side;
    const columns = whole.widthPx / side;
    if (rows === 1 && columns === 1) return { pixelValues: this.#normalised([whole]), sidePx: side, tiles: 1, rows: 0, columns: 0 };
    const tiles: DecodedImage[] = [];
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) tiles.push(crop(whole, column * side, row * side, side));
    }
    tiles.push(this.#resize(whole, square));
    return { pixelValues: this.#normalised(tiles), sidePx: side, tiles: tiles.length, rows, columns };
  }

  #resize(image: DecodedImage, size: PixelSize): DecodedImage {
    return this.#settings.resample === PIL_LANCZOS ? resizeLanczos(image, size) : resizeBicubic(image, size);
  }

  #normalised(tiles: readonly DecodedImage[]): Float32Array<ArrayBuffer> {
    const plane = this.sidePx ** 2;
    const out = new Float32Array(tiles.length * CHANNELS * plane);
    let o = 0;
    for (const { data } of tiles) {
      for (let channel = 0; channel < CHANNELS; channel++) {
        for (let i = 0; i < plane; i++) out[o++] = this.#levels[(channel << 8) + data[i * CHANNELS + channel]!]!;
      }
    }
    return out;
  }
}

/** The longest edge at `longest`, the other in proportion and even, as the reference rounds. */
function scaledSize({ widthPx, heightPx }: PixelSize, longest: number): PixelSize {
  const even = (length: number): number => Math.trunc(length) + (Math.trunc(length) % 2);
  const ratio = widthPx / heightPx;
  const [width, height] = widthPx >= heightPx ? [longest, Math.max(even(longest / ratio), 1)] : [Math.max(even(longest * ratio), 1), longest];
  const bounded = width / height;
  if (width >= height && width > MAX_IMAGE_SIZE) return { widthPx: MAX_IMAGE_SIZE, heightPx: Math.max(Math.trunc(MAX_IMAGE_SIZE / bounded), 1) };
  if (height > MAX_IMAGE_SIZE) return { widthPx: Math.max(Math.trunc(MAX_IMAGE_SIZE * bounded), 1), heightPx: MAX_IMAGE_SIZE };
  return { widthPx: width, heightPx: height };
}

/** Both edges up to the next multiple of a tile's, the shorter one after the ratio is kept. */
function wholeTiles({ widthPx, heightPx }: PixelSize, side: number): PixelSize {
  const up = (length: number): number => Math.ceil(length / side) * side;
  const ratio = widthPx / heightPx;
  if (widthPx >= heightPx) return { widthPx: up(widthPx), heightPx: up(Math.trunc(up(widthPx) / ratio)) };
  return { widthPx: up(Math.trunc(up(heightPx) * ratio)), heightPx: up(heightPx) };
}

function crop({ data, widthPx }: DecodedImage, left: number, top: number, side: number): DecodedImage {
  const out = new Uint8Array(side * side * CHANNELS);
  for (let y = 0; y < side; y++) {
    const from = ((top + y) * widthPx + left) * CHANNELS;
    out.set(data.subarray(from, from + side * CHANNELS), y * side * CHANNELS);
  }
  return { data: out, widthPx: side, heightPx: side };
}
