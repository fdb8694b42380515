import type { PixelSize } from "../../image/smart-resize.js";

// Where a picture of any size goes in a grid of tiles. Reference: transformers 5.23, image_processing_utils.py and
// models/llava_next/modeling_llava_next.py; the arithmetic is Python's, rounding included.

/** Of the sizes `[height, width]`, the one in which most of the picture's pixels fit, and of those the one that wastes least. */
export function bestSize({ widthPx, heightPx }: PixelSize, pinpoints: readonly (readonly [number, number])[]): PixelSize {
  let best = { widthPx: 0, heightPx: 0 };
  let most = 0;
  let least = Infinity;
  for (const [height, width] of pinpoints) {
    const scale = Math.min(width / widthPx, height / heightPx);
    const used = Math.min(Math.trunc(widthPx * scale) * Math.trunc(heightPx * scale), widthPx * heightPx);
    const wasted = width * height - used;
    if (used < most || (used === most && wasted >= least)) continue;
    best = { widthPx: width, heightPx: height };
    most = used;
    least = wasted;
  }
  return best;
}

/** The picture's size when it just fits into `target`, its sides' ratio kept. */
export function fittedSize({ widthPx, heightPx }: PixelSize, target: PixelSize): PixelSize {
  const across = target.widthPx / widthPx;
  const down = target.heightPx / heightPx;
  return across < down
    ? { widthPx: target.widthPx, heightPx: Math.min(Math.ceil(heightPx * across), target.heightPx) }
    : { widthPx: Math.min(Math.ceil(widthPx * down), target.widthPx), heightPx: target.heightPx };
}

/** The rows and columns of a padded grid of features that the picture itself covers: how many to leave out on each side. */
export function unpadding({ widthPx, heightPx }: PixelSize, rows: number, columns: number): { rows: number; columns: number } {
  const rounded = (value: number): number => Math.trunc(Math.round(value * 1e7) / 1e7);
  return widthPx / heightPx > columns / rows
    ? { rows: Math.floor((rows - rounded(heightPx * (columns / widthPx))) / 2), columns: 0 }
    : { rows: 0, columns: Math.floor((columns - rounded(widthPx * (rows / heightPx))) / 2) };
}
