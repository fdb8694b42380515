import { z } from "zod";
import type { DecodedImage } from "./decode.js";
import { cutPatches, levelTable, pixelFields, readImageProcessor } from "./pixel-values.js";
import { resizeBicubic } from "./resize.js";
import type { PixelSize } from "./smart-resize.js";

const PIL_BICUBIC = 3;
const positiveInt = z.number().int().positive();

/** Defaults are those of transformers' `PixtralImageProcessor`. */
const schema = z.object({
  image_processor_type: z.string().startsWith("Pixtral", "only Pixtral's image processor is supported").optional(),
  do_resize: z.literal(true).default(true),
  resample: z.literal(PIL_BICUBIC, "only bicubic resampling (3) is supported").default(PIL_BICUBIC),
  size: z.union([z.object({ longest_edge: positiveInt }), z.object({ height: positiveInt, width: positiveInt })]).default({ longest_edge: 1024 }),
  ...pixelFields,
});

export interface PixtralPicture {
  /** `[rows · columns, 3 · patchSize²]`, row by row. */
  pixelValues: Float32Array<ArrayBuffer>;
  /** Patches. */
  rows: number;
  columns: number;
}

/**
 * The image processor of Pixtral and Mistral 3: shrunk into the largest size, sides rounded up to whole merge blocks.
 * Source: transformers' `models/pixtral/image_processing_pil_pixtral.py`.
 */
export class PixtralImageProcessor {
  /** Names every setting that changes `process`'s result, for cache keys. */
  readonly settingsKey: string;
  readonly #patchSize: number;
  readonly #block: number;
  readonly #limit: PixelSize;
  readonly #levels: Float32Array;

  private constructor(config: z.output<typeof schema>, patchSize: number, mergeSize: number) {
    const { size } = config;
    this.#patchSize = patchSize;
    this.#block = patchSize * mergeSize;
    this.#limit = "longest_edge" in size ? { widthPx: size.longest_edge, heightPx: size.longest_edge } : { widthPx: size.width, heightPx: size.height };
    this.#levels = levelTable(config);
    this.settingsKey = JSON.stringify([config, patchSize, mergeSize]);
  }

  /** Reads the folder's image processor; sizes of patches are the model's. */
  static async load(dir: string, patchSize: number, mergeSize: number): Promise<PixtralImageProcessor> {
    return new PixtralImageProcessor(await readImageProcessor(dir, schema), patchSize, mergeSize);
  }

  /** The size a picture is seen at. */
  sizeFor({ widthPx, heightPx }: PixelSize): PixelSize {
    const ratio = Math.max(heightPx / this.#limit.heightPx, widthPx / this.#limit.widthPx, 1);
    const blocks = (length: number): number => Math.max(1, Math.ceil(Math.floor(length / ratio) / this.#block)) * this.#block;
    return { widthPx: blocks(widthPx), heightPx: blocks(heightPx) };
  }

  process(image: DecodedImage): PixtralPicture {
    const resized = resizeBicubic(image, this.sizeFor(image));
    return {
      pixelValues: cutPatches(resized, this.#patchSize, this.#levels),
      rows: resized.heightPx / this.#patchSize,
      columns: resized.widthPx / this.#patchSize,
    };
  }
}
