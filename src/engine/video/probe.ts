import { z } from "zod";
import { DeskhandError } from "../../core/errors.js";
import { ffmpegOutput, type FfmpegOptions } from "./ffmpeg.js";
import type { VideoInput } from "./source.js";

/** What is known of a film before its frames are decoded. */
export interface VideoInfo {
  frames: number;
  /** Frames a second, on average. */
  fps: number;
  /** As shown: a film that is turned when it is played is turned here. */
  widthPx: number;
  heightPx: number;
  /** A time after the frame before this one has begun and before this one does, in seconds from the file's beginning. */
  before: (index: number) => number;
}

/** Films with more frames are not read to the end only to count them: their number follows from length and rate. */
const MOST_COUNTED_FRAMES = 50_000;

/** Missing at the end of a film that is not cut short: rounding, and tracks of different lengths. */
const TOLERATED_S = 0.5;
const TOLERATED_PART = 0.05;

const MAX_PIXELS = 64_000_000;

const Stream = z.object({
  width: z.number().int(),
  height: z.number().int(),
  avg_frame_rate: z.string().optional(),
  r_frame_rate: z.string().optional(),
  time_base: z.string(),
  nb_frames: z.coerce.number().optional(),
  start_time: z.coerce.number().default(0),
  duration: z.coerce.number().optional(),
  tags: z.object({ rotate: z.coerce.number().optional() }).optional(),
  side_data_list: z.array(z.object({ rotation: z.number().optional() })).optional(),
});
const Report = z.object({
  streams: z.array(Stream),
  format: z.object({ format_name: z.string().optional(), start_time: z.coerce.number().default(0), duration: z.coerce.number().optional() }),
});

const ENTRIES = "format=format_name,start_time,duration:stream=width,height,avg_frame_rate,r_frame_rate,time_base,start_time,duration,nb_frames:stream_tags=rotate:stream_side_data=rotation";

/** The first video track that is not a cover picture. */
export const VIDEO_TRACK = "V:0";

/**
 * Size, rate and number of a film's frames.
 * @throws DeskhandError `unsupported_input` for what is not a video, has no video track or is cut short; `image_too_large`, `dependency_missing`, `timeout`, `cancelled`.
 */
export async function probeVideo(input: VideoInput, options: FfmpegOptions = {}): Promise<VideoInfo> {
  const { streams, format } = await report(input, options);
  const [stream] = streams;
  if (stream === undefined) throw new DeskhandError("unsupported_input", `Expected a video but ${input.name} has no video track (${format.format_name ?? "unknown format"}). Give it as sound, or choose another file.`);
  const { width, height } = stream;
  if (!(width > 0 && height > 0)) throw new DeskhandError("unsupported_input", `Expected a video but ffprobe finds no picture size in ${input.name}: it is damaged, or of a kind this ffmpeg cannot decode.`);
  if (width * height > MAX_PIXELS) throw new DeskhandError("image_too_large", `Expected frames of at most ${MAX_PIXELS / 1e6} megapixels but ${input.name} has ${width}×${height} pixels. Scale the video down.`);
  const turned = Math.abs(rotationOf(stream)) % 180 === 90;
  const size = turned ? { widthPx: height, heightPx: width } : { widthPx: width, heightPx: height };
  const rate = ratio(stream.avg_frame_rate) ?? ratio(stream.r_frame_rate);
  const frames = Math.round((stream.duration ?? format.duration ?? NaN) * (rate ?? NaN));
  if (frames > MOST_COUNTED_FRAMES && rate !== undefined) return { frames, fps: rate, ...size, before: (index) => stream.start_time - format.start_time + (index - 0.5) / rate };

  const { timesS, lengthS, fps: measured, packets, message } = await readTimes(input, stream.time_base, options);
  if (timesS.length === 0) throw new DeskhandError("unsupported_input", `Expected a video but ${input.name} has a video track without frames. It is damaged or was never finished.`);
  const known = timesS.every(Number.isFinite);
  const fps = measured ?? rate ?? 1;
  refuseCutShort(input, packets / fps, (stream.nb_frames ?? 0) / fps, message);
  // The file's length may be another track's, so that it counts with a complaint of ffprobe only.
  if (known) refuseCutShort(input, lengthS, stream.duration ?? (message === "" ? 0 : format.duration) ?? 0, message);
  const timeOf = (index: number): number => (known ? (timesS[index] as number) : stream.start_time + index / fps);
  return { frames: timesS.length, fps, ...size, before: (index) => (timeOf(index - 1) + timeOf(index)) / 2 - format.start_time };
}

async function report(input: VideoInput, options: FfmpegOptions): Promise<z.output<typeof Report>> {
  let text = "";
  const output = ffmpegOutput("ffprobe", ["-select_streams", VIDEO_TRACK, "-show_entries", ENTRIES, "-of", "json", ...input.args], options);
  for (;;) {
    const { value, done } = await output.next();
    if (!done) {
      text += value.toString("utf8");
      continue;
    }
    const parsed = value.status === 0 ? Report.safeParse(JSON.parse(text)) : undefined;
    if (parsed?.success) return parsed.data;
    const other = /\[(\w+) @ .*not on whitelist/.exec(value.message)?.[1];
    if (other !== undefined) throw new DeskhandError("unsupported_input", `Expected a video file but ${input.name} is of another kind (${other}): playlists, scripts, texts and single pictures are not read as videos. Give the video file itself.`);
    throw new DeskhandError("unsupported_input", `Expected a video that ffmpeg can read but ${input.name} gives: ${input.quote(value.message) || "no message"}. Check that it is a complete video file (MP4, MKV, WebM, MOV, AVI, …).`);
  }
}

interface Times {
  /** When each frame that will be shown begins; NaN where the file does not say. */
  timesS: number[];
  /** From the first frame's beginning to the last frame's end. */
  lengthS: number;
  /** Frames a second; absent where the file does not say when they begin. */
  fps: number | undefined;
  /** How many there are, with those that will not be shown. */
  packets: number;
  /** What ffprobe complained of. */
  message: string;
}

/** Reads the track without decoding it. */
async function readTimes(input: VideoInput, timeBase: string, options: FfmpegOptions): Promise<Times> {
  const output = ffmpegOutput("ffprobe", ["-select_streams", VIDEO_TRACK, "-show_entries", "packet=pts,duration,flags", "-of", "csv=p=0", ...input.args], options);
  const [numerator = 1, denominator = 1] = timeBase.split("/").map(Number);
  const shown: { start: number; length: number }[] = [];
  let packets = 0;
  let rest = "";
  for (;;) {
    const { value, done } = await output.next();
    if (done) {
      // Packets come in the order of decoding.
      shown.sort((a, b) => a.start - b.start);
      const [first, last] = [shown[0]?.start ?? 0, shown.at(-1)?.start ?? 0];
      const length = shown.at(-1)?.length || (last - first) / Math.max(1, shown.length - 1);
      const seconds = (ticks: number): number => (ticks * numerator) / denominator;
      const ticks = last + length - first;
      // In whole numbers, so that 25 frames of a 25th of a second are 25 and not a little less.
      const fps = ticks > 0 ? (shown.length * denominator) / (ticks * numerator) : undefined;
      return { timesS: shown.map(({ start }) => seconds(start)), lengthS: seconds(ticks), fps, packets, message: input.quote(value.message) };
    }
    const lines = (rest + value.toString("latin1")).split("\n");
    rest = lines.pop() as string;
    for (const line of lines) {
      const [start, length, flags] = line.split(",");
      if (flags === undefined) continue;
      packets++;
      // D: decoded for those after it, but cut away by the file's edit list.
      if (flags[1] !== "D") shown.push({ start: Number(start), length: Number(length) || 0 });
    }
  }
}

/** @param promisedS what the header says; 0 is unknown. */
function refuseCutShort(input: VideoInput, lengthS: number, promisedS: number, message: string): void {
  if (promisedS - lengthS <= TOLERATED_S + TOLERATED_PART * promisedS) return;
  throw new DeskhandError("unsupported_input", `Expected ${promisedS.toFixed(1)} s of video in ${input.name}, as its header says, but it ends after ${lengthS.toFixed(1)} s: it is cut short or damaged${message === "" ? "" : ` (ffmpeg: ${message})`}. Copy or download it again.`);
}

/** "30000/1001"; "0/0" is unknown. */
function ratio(text: string | undefined): number | undefined {
  const [numerator = NaN, denominator = NaN] = (text ?? "").split("/").map(Number);
  const value = numerator / denominator;
  return Number.isFinite(value) && value > 0 ? value : undefined;
}

function rotationOf({ side_data_list, tags }: z.output<typeof Stream>): number {
  return side_data_list?.find(({ rotation }) => rotation !== undefined)?.rotation ?? tags?.rotate ?? 0;
}
