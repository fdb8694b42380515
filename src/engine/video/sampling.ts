import { DeskhandError } from "../../core/errors.js";
import { roundHalfToEven } from "../../core/rounding.js";
import type { DecodedImage } from "../image/decode.js";
import type { PixelSize } from "../image/smart-resize.js";
import type { VideoInfo } from "./probe.js";

/** How many frames of a video a caller wants to be looked at; what is left out is for the model's family to say. */
export interface VideoSampling {
  /** Frames a second. */
  fps?: number;
  maxFrames?: number;
}

/** What becomes of a video's frames. */
export interface FrameFit {
  /** Tokens the video takes in the prompt, about; 0 where that is not known yet. */
  tokens: number;
  scale(frame: DecodedImage): DecodedImage;
}

/** How a family looks at videos. */
export interface VideoSampler {
  /** Numbers of the frames to look at, ascending; at least one. */
  sample(video: Pick<VideoInfo, "frames" | "fps">, wish: VideoSampling): number[];
  fit(frames: number, size: PixelSize): FrameFit;
}

/** Frames a second of a video whose family says nothing else, and of a list of frames without a rate. */
export const DEFAULT_FPS = 2;

/** Most pictures a video becomes for families that know pictures only. */
const DEFAULT_PICTURES = 32;

const HIGHEST_FPS = 240;
const MOST_FRAMES = 4096;

/** For families that know pictures only: frames at an even distance, from the first to the last, as they are. */
export const PICTURE_SAMPLER: VideoSampler = {
  sample: ({ frames, fps }, { fps: wanted = DEFAULT_FPS, maxFrames = DEFAULT_PICTURES }) => evenly(frames, Math.min(Math.max(1, Math.floor((frames / fps) * wanted)), maxFrames, frames)),
  fit: () => ({ tokens: 0, scale: (frame) => frame }),
};

/** `count` of `total` numbers, the first and the last among them: NumPy's `linspace(0, total - 1, count).round()`. */
export function evenly(total: number, count: number): number[] {
  if (count === 1) return [0];
  const step = (total - 1) / (count - 1);
  return Array.from({ length: count }, (_, i) => (i === count - 1 ? total - 1 : roundHalfToEven(i * step)));
}

/** @throws DeskhandError `invalid_argument` */
export function checkSampling({ fps, maxFrames }: VideoSampling): void {
  if (fps !== undefined && !(fps > 0 && fps <= HIGHEST_FPS)) throw new DeskhandError("invalid_argument", `Expected a video's frames a second above 0 and up to ${HIGHEST_FPS} but received ${fps}.`, { param: "fps" });
  if (maxFrames !== undefined && !(Number.isInteger(maxFrames) && maxFrames >= 1 && maxFrames <= MOST_FRAMES)) {
    throw new DeskhandError("invalid_argument", `Expected a whole number of frames from 1 to ${MOST_FRAMES} for a video but received ${maxFrames}.`, { param: "maxFrames" });
  }
}
