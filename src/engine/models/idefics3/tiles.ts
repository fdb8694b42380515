import { join } from "node:path";
import { z } from "zod";
import { DeskhandError } from "../../../core/errors.js";
import { parseWith, readJson } from "../../../core/json.js";
import { pathExists } from "../../hub/path-exists.js";
import type { DecodedImage } from "../../image/decode.js";
import { resizeBicubic, resizeLanczos } from "../../image/resize.js";
import type { PixelSize } from "../../image/smart-resize.js";

const CHANNELS = 3;
const PIL_LANCZOS = 1;
const PIL_BICUBIC = 3;
/** No picture is taken larger than this, whatever the settings. */
const MAX_IMAGE_SIZE = 4096;
const positive = z.number().int().positive();
const perChannel = z.array(z.number()).length(CHANNELS);
const longestEdge = z.object({ longest_edge: positive });

/** Defaults are those of transformers' `Idefics3ImageProcessor`, which is also SmolVLM's. */
const schema = z.object({
  image_processor_type: z.string().regex(/^(Idefics3|SmolVLM)ImageProcessor/, "only the image processor of Idefics3 and SmolVLM is supported").optional(),
  do_resize: z.boolean().default(true),
  size: longestEdge.default({ longest_edge: 4 * 364 }),
  resample: z.union([z.literal(PIL_LANCZOS), z.literal(PIL_BICUBIC)], "only Lanczos (1) and bicubic (3) resampling are supported").default(PIL_LANCZOS),
  do_image_splitting: z.boolean().default(true),
  max_image_size: longestEdge.default({ longest_edge: 364 }),
  do_rescale: z.boolean().default(true),
  rescale_factor: z.number().positive().default(1 / 255),
  do_normalize: z.boolean().default(true),
  image_mean: perChannel.default([0.5, 0.5, 0.5]),
  image_std: perChannel.default([0.5, 0.5, 0.5]),
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

  /** @param config the content of `preprocessor_config.json`. @throws DeskhandError `invalid_model` naming the field at fault. */
  constructor(config: unknown, what = "preprocessor_config.json") {
    this.#settings = parseWith(schema, config, what, "invalid_model");
    this.sidePx = this.#settings.max_image_size.longest_edge;
    this.settingsKey = JSON.stringify(this.#settings);
    this.#levels = levelTable(this.#settings);
  }

  /** Reads `preprocessor_config.json`, or the `image_processor` of `processor_config.json` as transformers 5 writes it. */
  static async load(dir: string): Promise<TileProcessor> {
    const own = join(dir, "preprocessor_config.json");
    if (await pathExists(own)) return new TileProcessor(await readJson(own), own);
    const combined = join(dir, "processor_config.json");
    if (await pathExists(combined)) {
      const { image_processor } = parseWith(z.object({ image_processor: z.unknown() }), await readJson(combined), combined, "invalid_model");
      if (image_processor !== undefined) return new TileProcessor(image_processor, `image_processor in ${combined}`);
    }
    throw new DeskhandError("invalid_model", `Expected preprocessor_config.json in ${dir}, but it is missing. Copy it from the model's repository: pictures cannot be prepared without it.`);
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

/** Rescaled, then normalised, each in single precision as the reference does. */
function levelTable({ do_rescale, rescale_factor, do_normalize, image_mean, image_std }: z.output<typeof schema>): Float32Array {
  return Float32Array.from({ length: CHANNELS * 256 }, (_, i) => {
    const level = i & 255;
    const value = do_rescale ? Math.fround(level * rescale_factor) : level;
    if (!do_normalize) return value;
    return Math.fround(value - Math.fround(image_mean[i >> 8]!)) / Math.fround(image_std[i >> 8]!);
  });
}
