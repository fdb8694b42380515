import { z } from "zod";
import { DeskhandError } from "../../../core/errors.js";
import type { DecodedImage } from "../../image/decode.js";
import { cutPatches, levelTable, pixelFields, readImageProcessor } from "../../image/pixel-values.js";
import { resizeBilinear } from "../../image/resize.js";
import type { PixelSize } from "../../image/smart-resize.js";

const PIL_BILINEAR = 2;
const positive = z.number().int().positive();
const half = z.array(z.number()).length(3).default([0.5, 0.5, 0.5]);

/** Defaults are those of transformers' `Gemma3ImageProcessor` and `Gemma3Processor`; the hub's folders say `null` for the latter's. */
const schema = z.object({
  image_processor_type: z.string().startsWith("Gemma3", "only Gemma 3's image processor is supported").optional(),
  ...pixelFields,
  image_mean: half,
  image_std: half,
  size: z.object({ height: positive, width: positive }).default({ height: 224, width: 224 }),
  do_resize: z.literal(true, "only models that resize pictures are supported").default(true),
  resample: z.literal(PIL_BILINEAR, "only bilinear resampling (2) is supported").default(PIL_BILINEAR),
  do_pan_and_scan: z.boolean().nullish(),
  pan_and_scan_min_crop_size: positive.nullish(),
  pan_and_scan_max_num_crops: positive.nullish(),
  pan_and_scan_min_ratio_to_activate: z.number().positive().nullish(),
});

/** A picture as the tower sees it: the whole, and crops of it where it is long. */
export interface PictureViews {
  /** The whole picture first; each `[patches, 3 · P · P]`, row-major, all of one size. */
  views: Float32Array<ArrayBuffer>[];
}

/**
 * The image processor of Gemma 3: a picture becomes a square whatever its shape; with pan and scan, a long one is also cut into crops along
 * its longer side. Source: transformers 5.23, models/gemma3/image_processing_pil_gemma3.py.
 */
export class ViewProcessor {
  /** Names every setting that changes `process`'s result, for cache keys. */
  readonly settingsKey: string;
  readonly #size: PixelSize;
  readonly #patchSize: number;
  readonly #levels: Float32Array;
  readonly #crops: CropOptions | undefined;

  constructor(config: z.output<typeof schema>, patchSize: number) {
    this.#size = { widthPx: config.size.width, heightPx: config.size.height };
    this.#patchSize = patchSize;
    this.#levels = levelTable(config);
    this.#crops = config.do_pan_and_scan
      ? { minCropPx: config.pan_and_scan_min_crop_size ?? 256, maxCrops: config.pan_and_scan_max_num_crops ?? 4, minRatio: config.pan_and_scan_min_ratio_to_activate ?? 1.2 }
      : undefined;
    this.settingsKey = JSON.stringify(config);
  }

  /** @throws DeskhandError `invalid_model` when the folder has no settings for pictures, or ones that are not supported. */
  static async load(dir: string, { patch_size: patchSize, image_size: side }: { patch_size: number; image_size: number }): Promise<ViewProcessor> {
    const config = await readImageProcessor(dir, schema);
    const { width, height } = config.size;
    if (width === side && height === side) return new ViewProcessor(config, patchSize);
    throw new DeskhandError("invalid_model", `Expected size in the preprocessor settings of ${dir} to be ${side}×${side} pixels as the vision tower of config.json takes them but received ${width}×${height}.`);
  }

  process(image: DecodedImage): PictureViews {
    const crops = this.#crops === undefined ? [] : panAndScan(image, this.#crops).map((box) => crop(image, box));
    return { views: [image, ...crops].map((view) => cutPatches(resizeBilinear(view, this.#size), this.#patchSize, this.#levels)) };
  }
}

export interface CropOptions {
  minCropPx: number;
  maxCrops: number;
  /** Longer side over shorter from which a picture is cut. */
  minRatio: number;
}

export interface CropBox extends PixelSize {
  leftPx: number;
  topPx: number;
}

/** Where a picture is cut along its longer side: equal pieces, about squares, the last possibly smaller; none where it is not long enough. */
export function panAndScan({ widthPx, heightPx }: PixelSize, { minCropPx, maxCrops, minRatio }: CropOptions): CropBox[] {
  const wide = widthPx >= heightPx;
  const [long, short] = wide ? [widthPx, heightPx] : [heightPx, widthPx];
  if (long / short < minRatio) return [];
  const fitting = Math.min(Math.floor(long / minCropPx), Math.floor(long / short + 0.5));
  const count = Math.min(maxCrops, Math.max(2, fitting));
  const length = Math.ceil(long / count);
  if (Math.min(length, short) < minCropPx) return [];
  return Array.from({ length: count }, (_, i) => {
    const start = i * length;
    const size = Math.min(length, long - start);
    return wide ? { leftPx: start, topPx: 0, widthPx: size, heightPx } : { leftPx: 0, topPx: start, widthPx, heightPx: size };
  });
}

function crop({ data, widthPx: stride }: DecodedImage, { leftPx, topPx, widthPx, heightPx }: CropBox): DecodedImage {
  const out = new Uint8Array(widthPx * heightPx * 3);
  for (let y = 0; y < heightPx; y++) {
    const from = ((topPx + y) * stride + leftPx) * 3;
    out.set(data.subarray(from, from + widthPx * 3), y * widthPx * 3);
  }
  return { data: out, widthPx, heightPx };
}
