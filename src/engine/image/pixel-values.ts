import { join } from "node:path";
import { z } from "zod";
import { DeskhandError } from "../../core/errors.js";
import { parseWith, readJson } from "../../core/json.js";
import { pathExists } from "../hub/path-exists.js";
import type { DecodedImage } from "./decode.js";

const CHANNELS = 3;
const perChannel = z.array(z.number()).length(CHANNELS);

/** Fields of a preprocessor_config.json that say what becomes of a pixel's level, with CLIP's means and deviations as defaults. */
export const pixelFields = {
  do_rescale: z.boolean().default(true),
  rescale_factor: z.number().positive().default(1 / 255),
  do_normalize: z.boolean().default(true),
  image_mean: perChannel.default([0.48145466, 0.4578275, 0.40821073]),
  image_std: perChannel.default([0.26862954, 0.26130258, 0.27577711]),
};

type PixelFields = z.output<z.ZodObject<typeof pixelFields>>;

/** The value of each of the 256 levels, a channel at a time: `[3, 256]`. Rescaled and then normalised in single precision, as transformers' Pillow processors do. */
export function levelTable({ do_rescale, rescale_factor, do_normalize, image_mean, image_std }: PixelFields): Float32Array {
  const value = (level: number, channel: number): number => {
    const scaled = do_rescale ? Math.fround(level * rescale_factor) : level;
    return do_normalize ? Math.fround(Math.fround(scaled - Math.fround(image_mean[channel]!)) / Math.fround(image_std[channel]!)) : scaled;
  };
  return Float32Array.from({ length: CHANNELS * 256 }, (_, i) => value(i & 255, i >> 8));
}

/** `[H, W, 3]` bytes to square patches, row by row, `[H/P · W/P, 3 · P · P]`: what a convolution of the patch size multiplies. */
export function cutPatches({ data, widthPx, heightPx }: DecodedImage, patchSize: number, levels: Float32Array): Float32Array<ArrayBuffer> {
  const rows = Math.floor(heightPx / patchSize);
  const columns = Math.floor(widthPx / patchSize);
  const out = new Float32Array(rows * columns * CHANNELS * patchSize ** 2);
  let o = 0;
  for (let patch = 0; patch < rows * columns; patch++) {
    const top = Math.floor(patch / columns) * patchSize;
    const left = (patch % columns) * patchSize;
    for (let channel = 0; channel < CHANNELS; channel++) {
      for (let y = 0; y < patchSize; y++) {
        let from = ((top + y) * widthPx + left) * CHANNELS + channel;
        for (let x = 0; x < patchSize; x++, from += CHANNELS) out[o++] = levels[(channel << 8) + data[from]!]!;
      }
    }
  }
  return out;
}

/**
 * `preprocessor_config.json` of a model folder, or the `image_processor` of `processor_config.json` as transformers 5 writes it.
 * @throws DeskhandError `invalid_model` when there is neither, or a field is at fault.
 */
export async function readImageProcessor<T extends z.ZodType>(dir: string, schema: T): Promise<z.output<T>> {
  const own = join(dir, "preprocessor_config.json");
  if (await pathExists(own)) return parseWith(schema, await readJson(own), own, "invalid_model");
  const combined = join(dir, "processor_config.json");
  if (await pathExists(combined)) {
    const { image_processor } = parseWith(z.object({ image_processor: z.unknown() }), await readJson(combined), combined, "invalid_model");
    if (image_processor !== undefined) return parseWith(schema, image_processor, `image_processor in ${combined}`, "invalid_model");
  }
  throw new DeskhandError("invalid_model", `Expected preprocessor_config.json in ${dir}, but it is missing. Copy it from the model's repository: pictures cannot be prepared without it.`);
}
