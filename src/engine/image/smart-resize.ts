import { DeskhandError } from "../../core/errors.js";
import { roundHalfToEven } from "../../core/rounding.js";

export interface PixelSize {
  widthPx: number;
  heightPx: number;
}

export interface SmartResizeLimits {
  /** Both sides become multiples of this: patch_size × merge_size. */
  factor: number;
  minPixels: number;
  maxPixels: number;
}

const MAX_ASPECT_RATIO = 200;

/**
 * The size Qwen's vision models see a picture at: both sides multiples of `factor`, the area within
 * `[minPixels, maxPixels]`, the aspect ratio kept as closely as that allows.
 * Source: `smart_resize` in transformers' `models/qwen2_vl/image_processing_qwen2_vl.py`.
 *
 * @throws DeskhandError `invalid_image` when one side is more than 200 times the other.
 */
export function smartResize({ widthPx, heightPx }: PixelSize, { factor, minPixels, maxPixels }: SmartResizeLimits): PixelSize {
  const ratio = Math.max(widthPx, heightPx) / Math.min(widthPx, heightPx);
  if (!(ratio <= MAX_ASPECT_RATIO)) {
    throw new DeskhandError(
      "invalid_image",
      `Expected a picture whose sides differ at most ${MAX_ASPECT_RATIO} times but received ${widthPx}×${heightPx} pixels. Crop it or split it into several pictures.`,
    );
  }
  const toMultiple = (round: (value: number) => number, length: number): number => round(length / factor) * factor;
  const width = toMultiple(roundHalfToEven, widthPx);
  const height = toMultiple(roundHalfToEven, heightPx);
  if (width * height > maxPixels) {
    const shrink = Math.sqrt((heightPx * widthPx) / maxPixels);
    return {
      widthPx: Math.max(factor, toMultiple(Math.floor, widthPx / shrink)),
      heightPx: Math.max(factor, toMultiple(Math.floor, heightPx / shrink)),
    };
  }
  if (width * height < minPixels) {
    const grow = Math.sqrt(minPixels / (heightPx * widthPx));
    return { widthPx: toMultiple(Math.ceil, widthPx * grow), heightPx: toMultiple(Math.ceil, heightPx * grow) };
  }
  return { widthPx: width, heightPx: height };
}
