import { DeskhandError } from "../../core/errors.js";
import { roundHalfToEven } from "../../core/rounding.js";
import { smartResize, type PixelSize } from "../image/smart-resize.js";
import { evenly } from "./sampling.js";

// What the two generations of Qwen's video processors do otherwise. Reference: transformers 5.23, models/qwen2_vl/video_processing_qwen2_vl.py
// and models/qwen3_vl/video_processing_qwen3_vl.py.

export interface FrameLimits {
  fps: number;
  min: number;
  max: number;
  /** Frames of a temporal patch. */
  multiple: number;
}

export interface PixelLimits {
  /** Both sides become multiples of this. */
  factor: number;
  /** Frames of a temporal patch. */
  multiple: number;
  min: number;
  max: number;
  /** Whether a frame's share of `maxTokens` limits it too. */
  cap: boolean;
  maxTokens: number;
}

export interface QwenVideoRules {
  patchSize: number;
  minPixels: number;
  maxPixels: number;
  maxTokens: number;
  mean: number[];
  deviation: number[];
  sample(video: { frames: number; fps: number }, limits: FrameLimits): number[];
  size(frames: number, size: PixelSize, limits: PixelLimits): PixelSize;
}

/** A whole number of temporal patches, frames at an even distance from the first one on; the pixels of each frame are limited. */
export const QWEN2: QwenVideoRules = {
  patchSize: 14,
  minPixels: 128 * 28 * 28,
  maxPixels: 28 * 28 * 768,
  maxTokens: 128_000,
  mean: [0.48145466, 0.4578275, 0.40821073],
  deviation: [0.26862954, 0.26130258, 0.27577711],
  sample({ frames, fps }, { fps: wanted, min, max, multiple }) {
    const whole = (count: number): number => Math.floor(count / multiple) * multiple;
    const most = whole(Math.min(max, frames));
    const count = whole(Math.min(Math.max((frames / fps) * wanted, min), most, frames));
    // float32, as torch.arange counts.
    return Array.from({ length: count }, (_, i) => Math.trunc(Math.fround(i * (frames / count))));
  },
  size(frames, size, { factor, multiple, min, max, cap, maxTokens }) {
    const budget = Math.trunc(maxTokens * factor * factor * 0.9) * multiple;
    const maxPixels = cap ? Math.max(Math.min(max, Math.floor(budget / frames)), Math.trunc(min * 1.05)) : max;
    return smartResize(size, { factor, minPixels: min, maxPixels });
  },
};

/** Frames at an even distance, the first and the last among them; the pixels of all frames together are limited. */
export const QWEN3: QwenVideoRules = {
  patchSize: 16,
  minPixels: 128 * 32 * 32,
  maxPixels: 32 * 32 * 768,
  maxTokens: 768,
  mean: [0.5, 0.5, 0.5],
  deviation: [0.5, 0.5, 0.5],
  sample({ frames, fps }, { fps: wanted, min, max }) {
    const count = Math.trunc((frames / fps) * wanted);
    return evenly(frames, Math.min(Math.max(count, min), max, frames));
  },
  size(frames, size, { factor, multiple, min, max, cap, maxTokens }) {
    if (!cap) return volumeResize(frames, size, { factor, multiple, min, max });
    const perFrame = Math.max(Math.min(maxTokens * factor * factor, Math.floor(max / frames)), Math.trunc(min * 1.05));
    return volumeResize(frames, size, { factor, multiple, min, max: perFrame * frames });
  },
};

/** Seconds with one digit after the point as Python writes them: halves, which only quarters of a second are exactly, become even. */
export function tenths(seconds: number): string {
  const isHalf = Math.abs((seconds * 4) % 2) === 1;
  return (isHalf ? roundHalfToEven(seconds * 10) / 10 : seconds).toFixed(1);
}

const MAX_ASPECT_RATIO = 200;

/** `smart_resize` of Qwen3-VL's video processor: frames × height × width within limits. */
function volumeResize(frames: number, size: PixelSize, { factor, multiple, min, max }: Pick<PixelLimits, "factor" | "multiple" | "min" | "max">): PixelSize {
  const enlarged = Math.max(1, factor / size.heightPx, factor / size.widthPx);
  const heightPx = Math.trunc(size.heightPx * enlarged);
  const widthPx = Math.trunc(size.widthPx * enlarged);
  const ratio = Math.max(widthPx, heightPx) / Math.min(widthPx, heightPx);
  if (!(ratio <= MAX_ASPECT_RATIO)) {
    throw new DeskhandError("invalid_image", `Expected a video whose sides differ at most ${MAX_ASPECT_RATIO} times but received ${size.widthPx}×${size.heightPx} pixels. Crop it.`);
  }
  const toMultiple = (round: (value: number) => number, length: number): number => round(length / factor) * factor;
  const [height, width] = [toMultiple(roundHalfToEven, heightPx), toMultiple(roundHalfToEven, widthPx)];
  const volume = roundHalfToEven(frames / multiple) * multiple * height * width;
  if (volume > max) {
    const shrink = Math.sqrt((frames * heightPx * widthPx) / max);
    return { widthPx: Math.max(factor, toMultiple(Math.floor, widthPx / shrink)), heightPx: Math.max(factor, toMultiple(Math.floor, heightPx / shrink)) };
  }
  if (volume < min) {
    const grow = Math.sqrt(min / (frames * heightPx * widthPx));
    return { widthPx: toMultiple(Math.ceil, widthPx * grow), heightPx: toMultiple(Math.ceil, heightPx * grow) };
  }
  return { widthPx: width, heightPx: height };
}
