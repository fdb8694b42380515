import { join } from "node:path";
import { z } from "zod";
import { DeskhandError } from "../../core/errors.js";
import { parseWith, readJson } from "../../core/json.js";
import { pathExists } from "../hub/path-exists.js";
import type { DecodedImage } from "./decode.js";
import { cutTemporalPatches } from "./qwen-vl-patches.js";
import { resizeBicubic } from "./resize.js";
import { smartResize, type PixelSize } from "./smart-resize.js";

const CHANNELS = 3;
const PIL_BICUBIC = 3;
const positiveInt = z.number().int().positive();
const perChannel = z.array(z.number()).length(CHANNELS);

/** Defaults are those of transformers' `Qwen2VLImageProcessor`: a file that leaves a field out was written against them. */
const schema = z.object({
  image_processor_type: z.string().startsWith("Qwen", "only the Qwen2-VL family's image processor is supported").optional(),
  patch_size: positiveInt.default(14),
  temporal_patch_size: positiveInt.default(2),
  merge_size: positiveInt.default(2),
  min_pixels: positiveInt.nullish(),
  max_pixels: positiveInt.nullish(),
  size: z.object({ shortest_edge: positiveInt.nullish(), longest_edge: positiveInt.nullish(), min_pixels: positiveInt.nullish(), max_pixels: positiveInt.nullish() }).nullish(),
  do_resize: z.boolean().default(true),
  resample: z.literal(PIL_BICUBIC, "only bicubic resampling (3) is supported").default(PIL_BICUBIC),
  do_rescale: z.boolean().default(true),
  rescale_factor: z.number().positive().default(1 / 255),
  do_normalize: z.boolean().default(true),
  image_mean: perChannel.default([0.48145466, 0.4578275, 0.40821073]),
  image_std: perChannel.default([0.26862954, 0.26130258, 0.27577711]),
});

const DEFAULT_MIN_PIXELS = 56 * 56;
const DEFAULT_MAX_PIXELS = 28 * 28 * 1280;

export interface ProcessedImage {
  /** `[t·h·w, 3 · temporal_patch_size · patch_size²]`, row-major; patches of one merge block are neighbours. */
  pixelValues: Float32Array<ArrayBuffer>;
  /** The grid in patches: `[t, h, w]`; `t` is 1 for a picture. */
  gridThw: [number, number, number];
  /** Tokens the picture takes in the prompt: t·h·w / merge_size². */
  mergedTokens: number;
}

/**
 * The image processor of Qwen2-VL, Qwen2.5-VL and Qwen3-VL: smart resize, rescale and normalise, cut into patches.
 * Source: transformers' `models/qwen2_vl/image_processing_qwen2_vl.py`.
 */
export class QwenVLImageProcessor {
  readonly patchSize: number;
  readonly temporalPatchSize: number;
  readonly mergeSize: number;
  readonly minPixels: number;
  readonly maxPixels: number;
  /** Names every setting that changes `process`'s result, for cache keys. */
  readonly settingsKey: string;
  private readonly resizes: boolean;
  /** The normalised value of each of the 256 levels, a channel at a time: `[3, 256]`. */
  private readonly levels: Float32Array;

  /** @param config the content of `preprocessor_config.json`. @throws DeskhandError `invalid_model` naming the field at fault. */
  constructor(config: unknown, what = "preprocessor_config.json") {
    const parsed = parseWith(schema, config, what, "invalid_model");
    this.patchSize = parsed.patch_size;
    this.temporalPatchSize = parsed.temporal_patch_size;
    this.mergeSize = parsed.merge_size;
    // The older layout's top-level fields win over `size`, as in the reference.
    this.minPixels = parsed.min_pixels ?? parsed.size?.shortest_edge ?? parsed.size?.min_pixels ?? DEFAULT_MIN_PIXELS;
    this.maxPixels = parsed.max_pixels ?? parsed.size?.longest_edge ?? parsed.size?.max_pixels ?? DEFAULT_MAX_PIXELS;
    this.resizes = parsed.do_resize;
    this.levels = normalisedLevels(parsed);
    this.settingsKey = JSON.stringify([parsed, this.minPixels, this.maxPixels]);
  }

  /** Reads `preprocessor_config.json`, or the `image_processor` of `processor_config.json` as transformers 5 writes it. */
  static async load(dir: string): Promise<QwenVLImageProcessor> {
    const own = join(dir, "preprocessor_config.json");
    if (await pathExists(own)) return new QwenVLImageProcessor(await readJson(own), own);
    const combined = join(dir, "processor_config.json");
    if (await pathExists(combined)) {
      const { image_processor } = parseWith(z.object({ image_processor: z.unknown() }), await readJson(combined), combined, "invalid_model");
      if (image_processor !== undefined) return new QwenVLImageProcessor(image_processor, `image_processor in ${combined}`);
    }
    throw new DeskhandError("invalid_model", `Expected preprocessor_config.json in ${dir}, but it is missing. Copy it from the model's repository: pictures cannot be prepared without it.`);
  }

  /** The size a picture is seen at. @throws DeskhandError `invalid_image` for extreme aspect ratios, or sizes that do not fit when resizing is off. */
  sizeFor(size: PixelSize): PixelSize {
    const factor = this.patchSize * this.mergeSize;
    if (this.resizes) return smartResize(size, { factor, minPixels: this.minPixels, maxPixels: this.maxPixels });
    if (size.widthPx % factor !== 0 || size.heightPx % factor !== 0) {
      throw new DeskhandError("invalid_image", `This model does not resize pictures (do_resize is false): expected sides that are multiples of ${factor} but received ${size.widthPx}×${size.heightPx} pixels.`);
    }
    return { widthPx: size.widthPx, heightPx: size.heightPx };
  }

  process(image: DecodedImage): ProcessedImage {
    const resized = resizeBicubic(image, this.sizeFor(image));
    const { gridThw, mergedTokens } = this.outline(image);
    return { pixelValues: cutTemporalPatches([resized], this, this.levels), gridThw, mergedTokens };
  }

  /** What of `process` a picture's size tells: everything but the numbers, and how many they are. */
  outline(size: PixelSize): Omit<ProcessedImage, "pixelValues"> & { numbers: number } {
    const { widthPx, heightPx } = this.sizeFor(size);
    const gridHeight = heightPx / this.patchSize;
    const gridWidth = widthPx / this.patchSize;
    return { gridThw: [1, gridHeight, gridWidth], mergedTokens: (gridHeight * gridWidth) / this.mergeSize ** 2, numbers: widthPx * heightPx * CHANNELS * this.temporalPatchSize };
  }
}

type Levels = Pick<z.output<typeof schema>, "do_rescale" | "rescale_factor" | "do_normalize" | "image_mean" | "image_std">;

/** The normalised value of each of the 256 levels, a channel at a time: `[3, 256]`. */
export function normalisedLevels(config: Levels): Float32Array {
  const table = new Float32Array(CHANNELS * 256);
  for (let channel = 0; channel < CHANNELS; channel++) {
    for (let level = 0; level < 256; level++) table[channel * 256 + level] = normalise(level, channel, config);
  }
  return table;
}

/** One pixel value. With both steps on, mean and deviation are scaled instead of the pixel, in single precision, as the reference does. */
function normalise(level: number, channel: number, { do_rescale, rescale_factor, do_normalize, image_mean, image_std }: Levels): number {
  if (!do_normalize) return do_rescale ? level * rescale_factor : level;
  const scale = do_rescale ? Math.fround(1 / rescale_factor) : 1;
  const mean = Math.fround(Math.fround(image_mean[channel]!) * scale);
  const deviation = Math.fround(Math.fround(image_std[channel]!) * scale);
  return Math.fround(Math.fround(level - mean) / deviation);
}
