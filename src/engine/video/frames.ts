import { DeskhandError } from "../../core/errors.js";
import type { DecodedImage } from "../image/decode.js";
import { ffmpegOutput, type FfmpegEnd, type FfmpegOptions } from "./ffmpeg.js";
import { VIDEO_TRACK, type VideoInfo } from "./probe.js";
import type { VideoInput } from "./source.js";

// What decoding costs, about: enough to choose between reading a film through and jumping from frame to frame.
const PIXELS_PER_SECOND = 500e6;
const SECONDS_PER_FRAME = 50e-6;
const SECONDS_PER_START = 0.1;
/** A jump lands on a key frame and decodes from there. */
const SECONDS_BEFORE_FRAME = 4;

/** Frames that may be missing at the end, as a part of the film: lengths and rates are rounded. */
const MISSING_PART = 0.05;
const MISSING_FRAMES = 2;

/**
 * The frames of these numbers (ascending; one may be asked for twice), one at a time: whoever reads decides what is kept of them.
 * @throws DeskhandError `unsupported_input` when frames cannot be decoded, `dependency_missing`, `timeout`, `cancelled`.
 */
export async function* readFrames(input: VideoInput, info: VideoInfo, indices: readonly number[], options: FfmpegOptions = {}): AsyncGenerator<DecodedImage, void> {
  const wanted = [...new Set(indices)];
  const frames = readsThrough(info, wanted) ? framesThrough(input, info, wanted, options) : framesByJumps(input, info, wanted, options);
  let last: DecodedImage | undefined;
  let of: number | undefined;
  try {
    for (const index of indices) {
      if (index !== of) {
        const { value, done } = await frames.next();
        if (done) refuseMissing(input, info, index, value);
        else last = value;
        of = index;
      }
      if (last === undefined) throw undecodable(input, info, index);
      yield last;
    }
  } finally {
    await frames.return(undefined);
  }
}

/** Whether decoding up to the last frame is cheaper than jumping to each. */
export function readsThrough({ fps, widthPx, heightPx }: VideoInfo, wanted: readonly number[]): boolean {
  const perFrame = (widthPx * heightPx) / PIXELS_PER_SECOND + SECONDS_PER_FRAME;
  const through = (wanted.at(-1) ?? 0) * perFrame;
  return through <= wanted.length * (SECONDS_PER_START + SECONDS_BEFORE_FRAME * fps * perFrame);
}

type Frames = AsyncGenerator<DecodedImage, FfmpegEnd | undefined>;

/** Decodes the film from its beginning and keeps the frames asked for. */
export async function* framesThrough(input: VideoInput, info: VideoInfo, wanted: readonly number[], options: FfmpegOptions): Frames {
  // One a second from 0 on: at a constant rate ffmpeg neither doubles frames nor leaves any out, in all of its versions.
  const filter = `select='${chosen(wanted)}',settb=1,setpts=N,${pixels(info)}`;
  return yield* rawFrames([...input.args, "-map", `0:${VIDEO_TRACK}`, "-vf", filter, "-r", "1", "-frames:v", String(wanted.length)], info, options);
}

/** An expression that is not 0 for the frames wanted. ffmpeg takes only short sums, so it is a search: few steps for each frame, too. */
function chosen(wanted: readonly number[]): string {
  if (wanted.length <= 4) return wanted.map((index) => `eq(n,${index})`).join("+");
  const middle = wanted.length >> 1;
  return `if(lt(n,${wanted[middle]}),${chosen(wanted.slice(0, middle))},${chosen(wanted.slice(middle))})`;
}

/** Looks each frame up by its time; in a film too long to be read through before, of a varying rate, the one at about that time. */
export async function* framesByJumps(input: VideoInput, info: VideoInfo, wanted: readonly number[], options: FfmpegOptions): Frames {
  for (const index of wanted) {
    const start = index === 0 ? [] : ["-ss", Math.max(0, info.before(index)).toFixed(6)];
    const one = rawFrames([...start, ...input.args, "-map", `0:${VIDEO_TRACK}`, "-vf", pixels(info), "-frames:v", "1"], info, options);
    const { value, done } = await one.next();
    await one.return(undefined);
    if (done) return value;
    yield value;
  }
  return undefined;
}

/** Every frame has the size known before, whatever the stream does on its way; where it has it already, nothing is scaled. */
function pixels({ widthPx, heightPx }: VideoInfo): string {
  return `scale=${widthPx}:${heightPx}:flags=bilinear+accurate_rnd+full_chroma_int,format=rgb24`;
}

async function* rawFrames(args: readonly string[], { widthPx, heightPx }: VideoInfo, options: FfmpegOptions): Frames {
  const bytes = widthPx * heightPx * 3;
  const output = ffmpegOutput("ffmpeg", ["-nostdin", ...args, "-f", "rawvideo", "pipe:1"], options);
  let data = new Uint8Array(bytes);
  let filled = 0;
  try {
    for (;;) {
      const { value, done } = await output.next();
      if (done) return value;
      for (let from = 0; from < value.length; ) {
        const piece = value.subarray(from, from + bytes - filled);
        data.set(piece, filled);
        from += piece.length;
        filled += piece.length;
        if (filled < bytes) continue;
        yield { data, widthPx, heightPx };
        data = new Uint8Array(bytes);
        filled = 0;
      }
    }
  } finally {
    await output.return({ status: null, message: "" });
  }
}

/** The last frames may be missing where numbers were rounded; the one before stands for them. */
function refuseMissing(input: VideoInput, info: VideoInfo, index: number, end: FfmpegEnd | undefined): void {
  if (index < info.frames - MISSING_FRAMES - MISSING_PART * info.frames) throw undecodable(input, info, index, end);
}

function undecodable(input: VideoInput, { fps, frames }: VideoInfo, index: number, end?: FfmpegEnd): DeskhandError {
  const said = end === undefined || end.message === "" ? "" : ` (ffmpeg: ${input.quote(end.message)})`;
  return new DeskhandError("unsupported_input", `Expected ${frames} frames in ${input.name} but those from ${(index / fps).toFixed(1)} s on cannot be decoded: it is cut short or damaged${said}. Copy or download it again.`);
}
