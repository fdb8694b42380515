import { z } from "zod";
import { DeskhandError } from "../../core/errors.js";
import type { DecodedImage } from "./decode.js";
import { cutPatches, levelTable, pixelFields, readImageProcessor } from "./pixel-values.js";
import { resizeBicubic } from "./resize.js";
import type { PixelSize } from "./smart-resize.js";

const PIL_BICUBIC = 3;
const positiveInt = z.number().int().positive();
const side = positiveInt.transform((edge) => ({ height: edge, width: edge }));
const half = z.array(z.number()).length(3).default([0.5, 0.5, 0.5]);
const box = z.object({ height: positiveInt, width: positiveInt });

/** Defaults are those of transformers' `CLIPImageProcessor`, `LlavaImageProcessor` and `LlavaNextImageProcessor`. */
const schema = z.object({
  image_processor_type: z.string().regex(/^(CLIP|Llava|LlavaNext)ImageProcessor(Fast|Pil)?$/, "only CLIP's image processor and LLaVA's are supported").optional(),
  do_resize: z.literal(true).default(true),
  resample: z.literal(PIL_BICUBIC, "only bicubic resampling (3) is supported").default(PIL_BICUBIC),
  size: z.union([positiveInt.transform((shortest_edge) => ({ shortest_edge })), z.object({ shortest_edge: positiveInt }), box]).default({ shortest_edge: 224 }),
  do_center_crop: z.literal(true).default(true),
  crop_size: z.union([side, box]).default({ height: 224, width: 224 }),
  ...pixelFields,
});

/** Defaults are those of transformers' `SiglipImageProcessor`: a square whatever the picture's shape. */
const siglipSchema = schema.omit({ crop_size: true }).extend({
  image_processor_type: z.string().regex(/^SiglipImageProcessor(Fast|Pil)?$/, "only SigLIP's image processor is supported").optional(),
  size: box.default({ height: 224, width: 224 }),
  do_center_crop: z.literal(false).nullish(),
  image_mean: half,
  image_std: half,
}).transform((config) => ({ ...config, do_center_crop: true as const, crop_size: config.size }));

/** LLaVA-NeXT fills up its batches (`do_pad`); LLaVA itself would make pictures square. */
const unpadded = schema.extend({ do_pad: z.literal(false, "pictures made square (do_pad) are not supported").nullish() });

/**
 * CLIP's image processor: the shorter side resized, the middle cut out, so that all pictures are squares of one size.
 * Source: transformers' `models/clip/image_processing_pil_clip.py`.
 */
export class ClipImageProcessor {
  /** Names every setting that changes the result, for cache keys. */
  readonly settingsKey: string;
  /** Side of the squares. */
  readonly sidePx: number;
  readonly #config: z.output<typeof schema>;
  readonly #patchSize: number;
  readonly #levels: Float32Array;

  private constructor(config: z.output<typeof schema>, sidePx: number, patchSize: number) {
    const { size, crop_size: crop } = config;
    const least = "shortest_edge" in size ? size.shortest_edge : Math.min(size.height, size.width);
    if (crop.height !== sidePx || crop.width !== sidePx || least < sidePx) {
      throw new DeskhandError("invalid_model", `Expected the image processor to resize to at least ${sidePx} pixels and to cut out a square of that side, as the vision tower takes, but size is ${JSON.stringify(size)} and crop_size ${JSON.stringify(crop)}.`);
    }
    this.sidePx = sidePx;
    this.#config = config;
    this.#patchSize = patchSize;
    this.#levels = levelTable(config);
    this.settingsKey = JSON.stringify([config, patchSize]);
  }

  /** Reads the folder's image processor, or SigLIP's; with `tiles`, squares come cut already. @throws DeskhandError `invalid_model` when it does not fit a tower of this size. */
  static async load(dir: string, options: { sidePx: number; patchSize: number; tiles?: boolean; siglip?: boolean }): Promise<ClipImageProcessor> {
    const processor = new ClipImageProcessor(options.siglip ? await readImageProcessor(dir, siglipSchema) : await readImageProcessor(dir, options.tiles ? schema : unpadded), options.sidePx, options.patchSize);
    const { size } = processor.#config;
    if (options.tiles && Object.values(size).some((edge) => edge !== options.sidePx)) {
      throw new DeskhandError("invalid_model", `Expected the image processor's size to be that of the tower's squares, ${options.sidePx} pixels, but it is ${JSON.stringify(size)}: tiles are not resized again.`);
    }
    return processor;
  }

  /** The picture's square, cut into patches. */
  process(image: DecodedImage): Float32Array<ArrayBuffer> {
    const resized = resizeBicubic(image, this.#sizeFor(image));
    const crop = { widthPx: this.sidePx, heightPx: this.sidePx };
    return this.patches(cropped(resized, Math.floor((resized.widthPx - crop.widthPx) / 2), Math.floor((resized.heightPx - crop.heightPx) / 2), crop));
  }

  /** Patches of a square that has the right size: `[patches, 3 · patchSize²]`. */
  patches(square: DecodedImage): Float32Array<ArrayBuffer> {
    return cutPatches(square, this.#patchSize, this.#levels);
  }

  #sizeFor({ widthPx, heightPx }: PixelSize): PixelSize {
    const { size } = this.#config;
    if (!("shortest_edge" in size)) return { widthPx: size.width, heightPx: size.height };
    const long = Math.trunc((size.shortest_edge * Math.max(widthPx, heightPx)) / Math.min(widthPx, heightPx));
    return widthPx <= heightPx ? { widthPx: size.shortest_edge, heightPx: long } : { widthPx: long, heightPx: size.shortest_edge };
  }
}

/** The part of a picture whose upper left corner is at (left, top). */
export function cropped({ data, widthPx }: DecodedImage, left: number, top: number, size: PixelSize): DecodedImage {
  const out = new Uint8Array(size.widthPx * size.heightPx * 3);
  for (let y = 0; y < size.heightPx; y++) {
    const from = ((top + y) * widthPx + left) * 3;
    out.set(data.subarray(from, from + size.widthPx * 3), y * size.widthPx * 3);
  }
  return { data: out, ...size };
}
