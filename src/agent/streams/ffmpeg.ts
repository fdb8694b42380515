import type { Readable } from "node:stream";
import { messageOf } from "../../core/errors.js";
import { startProcess } from "../computer/managed-process.js";
import { JpegSplitter } from "./jpeg-splitter.js";
import type { VideoSource } from "./video-source.js";

export const INSTALL_FFMPEG = process.platform === "darwin" ? "with `brew install ffmpeg`" : "with your system's packages, e.g. `apt-get install ffmpeg`";

export interface CaptureOptions {
  /** Most frames a second. */
  fps: number;
  /** Longest side of a frame; larger ones are made smaller. */
  maxSidePx: number;
  /** Without a frame for so long the stream counts as lost. */
  stallMs: number;
  onFrame: (jpeg: Buffer) => void;
  signal: AbortSignal;
}

/** How a capture was over, in the source's own words. */
export interface CaptureEnd {
  why: "ended" | "failed" | "stalled";
  words: string;
}

/**
 * Reads a source once, from its beginning to its end or to its loss; when this resolves, or rejects, its ffmpeg has gone.
 * @throws DeskhandError `dependency_missing` without ffmpeg, `stream_unavailable` when what comes is no series of pictures.
 */
export async function capture(source: VideoSource, { fps, maxSidePx, stallMs, onFrame, signal }: CaptureOptions): Promise<CaptureEnd> {
  const args = ["-hide_banner", "-nostdin", "-loglevel", "error", ...source.args, ...outputArguments({ fps, maxSidePx })];
  const ffmpeg = await startProcess("ffmpeg", args, { stdio: ["ignore", "pipe", "pipe"], env: process.env, install: INSTALL_FFMPEG });
  const { child, died } = ffmpeg;
  const [stdout, stderr] = [child.stdout as Readable, child.stderr as Readable];
  const closed = new Promise<void>((resolve) => void child.once("close", () => resolve()));
  let words = "";
  // Its first words name the cause.
  stderr.on("data", (chunk: string) => (words = (words + chunk).slice(0, 2000)));
  let stalled = false;
  let failure: Error | undefined;
  const stop = (): void => void ffmpeg.end();
  const stall = setTimeout(() => {
    stalled = true;
    stop();
  }, stallMs);
  const splitter = new JpegSplitter();
  // Read as it comes, whatever the reader of the frames does: what stays in the pipe would be old when it is read.
  stdout.on("data", (chunk: Buffer) => {
    try {
      for (const jpeg of splitter.push(chunk)) {
        stall.refresh();
        if (!signal.aborted) onFrame(jpeg);
      }
    } catch (error) {
      failure ??= error instanceof Error ? error : new Error(messageOf(error));
      stop();
    }
  });
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  try {
    await died.catch(() => undefined);
    await closed;
  } finally {
    clearTimeout(stall);
    signal.removeEventListener("abort", stop);
  }
  if (failure !== undefined) throw failure;
  return { why: stalled ? "stalled" : child.exitCode === 0 ? "ended" : "failed", words: source.quote(words) };
}

/**
 * JPEG pictures, one after the other. Frames are thinned out by the clock on the wall, not by their times, which streams get wrong;
 * whole numbers as times and a constant rate then keep ffmpeg from leaving out or doubling any itself.
 */
export function outputArguments({ fps, maxSidePx }: Pick<CaptureOptions, "fps" | "maxSidePx">): string[] {
  const thin = `select='if(gte(time(0)-ld(0),${1 / fps}),st(0,time(0)),0)'`;
  const fit = `scale='min(${maxSidePx},iw)':'min(${maxSidePx},ih)':force_original_aspect_ratio=decrease`;
  return ["-map", "0:V:0", "-vf", `${thin},settb=1,setpts=N,${fit},format=yuvj420p`, "-r", "1", "-c:v", "mjpeg", "-q:v", "3", "-flush_packets", "1", "-f", "image2pipe", "pipe:1"];
}
