import { createHash, type Hash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DeskhandError, throwIfAborted } from "../../core/errors.js";
import type { DecodedImage } from "../image/decode.js";
import type { PixelSize } from "../image/smart-resize.js";
import type { ImageSource, VideoSource } from "../messages.js";
import { readFrames } from "./frames.js";
import { probeVideo } from "./probe.js";
import { checkSampling, DEFAULT_FPS, evenly, type FrameFit, type VideoSampler, type VideoSampling } from "./sampling.js";
import { openVideo } from "./source.js";

/** A video as a caller asks for it. */
export interface VideoRequest extends VideoSampling {
  video: VideoSource;
}

/** The frames of a video that a model looks at. */
export interface SampledVideo {
  /** Of one size, as the sampler scaled them. */
  frames: DecodedImage[];
  /** Number of each in the video it was taken from. */
  indices: number[];
  /** Frames of that video, and how many of them a second has. */
  totalFrames: number;
  fps: number;
  /** Same key, same frames taken at the same times. Hex SHA-256. */
  key: string;
}

export interface ReadVideoOptions {
  signal?: AbortSignal;
  /** Tokens the model holds: videos that take more are refused before they are decoded. */
  contextLength?: number;
  readImage(source: ImageSource): Promise<DecodedImage>;
}

/**
 * Reads the frames of a video that the sampler asks for. Each is scaled as soon as it is decoded: no more than those are ever held.
 * @throws DeskhandError `invalid_argument`, `unsupported_input`, `context_length_exceeded`, `dependency_missing`, `timeout`, `cancelled`.
 */
export async function readVideo({ video, ...wish }: VideoRequest, sampler: VideoSampler, options: ReadVideoOptions): Promise<SampledVideo> {
  checkSampling(wish);
  if (video instanceof Uint8Array) return readBytes(video, wish, sampler, options);
  return typeof video === "string" || video instanceof URL ? readFile(video, wish, sampler, options) : readList(video, wish, sampler, options);
}

/** A decoder goes back and forth in a film, which it can in a file only. */
async function readBytes(bytes: Uint8Array, wish: VideoSampling, sampler: VideoSampler, options: ReadVideoOptions): Promise<SampledVideo> {
  const dir = await mkdtemp(join(tmpdir(), "deskhand-video-"));
  try {
    const path = join(dir, "video");
    await writeFile(path, bytes, { mode: 0o600, signal: options.signal });
    return await readFile(path, wish, sampler, options);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function readFile(source: string | URL, wish: VideoSampling, sampler: VideoSampler, { signal, contextLength }: ReadVideoOptions): Promise<SampledVideo> {
  const input = await openVideo(source);
  const info = await probeVideo(input, { signal });
  const indices = sampler.sample(info, wish);
  const collected = new Collected(fitOf(sampler, indices.length, info, contextLength));
  for await (const frame of readFrames(input, info, indices, { signal })) collected.add(frame);
  return collected.video(indices, info);
}

/** A list without a rate is a choice already: all of it is looked at, up to `maxFrames`. */
async function readList({ frames: sources, fps }: { frames: readonly ImageSource[]; fps?: number }, wish: VideoSampling, sampler: VideoSampler, options: ReadVideoOptions): Promise<SampledVideo> {
  if (sources.length === 0) throw new DeskhandError("invalid_argument", "Expected the frames of a video but received an empty list. Give at least one picture.", { param: "frames" });
  checkSampling({ fps });
  const info = { frames: sources.length, fps: fps ?? wish.fps ?? DEFAULT_FPS };
  const indices = fps === undefined ? evenly(info.frames, Math.min(info.frames, wish.maxFrames ?? info.frames)) : sampler.sample(info, wish);
  let collected: Collected | undefined;
  let size: PixelSize | undefined;
  for (const index of indices) {
    throwIfAborted(options.signal);
    const frame = await options.readImage(sources[index] as ImageSource);
    size ??= frame;
    if (frame.widthPx !== size.widthPx || frame.heightPx !== size.heightPx) {
      throw new DeskhandError("invalid_argument", `Expected frames of one size but frame ${index} has ${frame.widthPx}×${frame.heightPx} pixels and frame ${indices[0]} ${size.widthPx}×${size.heightPx}. Scale them to one size, or give them as pictures.`, { param: "frames" });
    }
    collected ??= new Collected(fitOf(sampler, indices.length, size, options.contextLength));
    collected.add(frame);
  }
  return (collected as Collected).video(indices, info);
}

function fitOf(sampler: VideoSampler, frames: number, size: PixelSize, contextLength = Infinity): FrameFit {
  const fit = sampler.fit(frames, size);
  if (fit.tokens < contextLength) return fit;
  throw new DeskhandError("context_length_exceeded", `Expected a video that fits into this model's context of ${contextLength} tokens but its ${frames} frames take ${fit.tokens}. Ask for fewer frames (videoMaxFrames, videoFps), or give a shorter video.`, { param: "messages" });
}

class Collected {
  readonly #fit: FrameFit;
  readonly #frames: DecodedImage[] = [];
  readonly #hash: Hash = createHash("sha256");

  constructor(fit: FrameFit) {
    this.#fit = fit;
  }

  add(frame: DecodedImage): void {
    const scaled = this.#fit.scale(frame);
    this.#frames.push(scaled);
    this.#hash.update(`${scaled.widthPx}x${scaled.heightPx}\n`).update(scaled.data);
  }

  video(indices: number[], { frames: totalFrames, fps }: { frames: number; fps: number }): SampledVideo {
    const key = this.#hash.update(JSON.stringify([indices, totalFrames, fps])).digest("hex");
    return { frames: this.#frames, indices, totalFrames, fps, key };
  }
}
