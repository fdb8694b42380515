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
  start_time: z.coerce.number().default(0),
  duration: z.coerce.number().optional(),
  tags: z.object({ rotate: z.coerce.number().optional() }).optional(),
  side_data_list: z.array(z.object({ rotation: z.number().optional() })).optional(),
});
const Report = z.object({
  streams: z.array(Stream),
  format: z.object({ format_name: z.string().optional(), start_time: z.coerce.number().default(0), duration: z.coerce.number().optional() }),
});

const ENTRIES = "format=format_name,start_time,duration:stream=width,height,avg_frame_rate,r_frame_rate,time_base,start_time,duration:stream_tags=rotate:stream_side_data=rotation";

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

  const { timesS, lengthS, message } = await readTimes(input, ratio(stream.time_base) ?? 1, options);
  if (timesS.length === 0) throw new DeskhandError("unsupported_input", `Expected a video but ${input.name} has a video track without frames. It is damaged or was never finished.`);
  const known = timesS.every(Number.isFinite);
  if (known) refuseCutShort(input, { lengthS, message }, { track: stream.duration, file: format.duration });
  const fps = known && lengthS > 0 ? timesS.length / lengthS : (rate ?? 1);
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
    throw new DeskhandError("unsupported_input", `Expected a video that ffmpeg can read but ${input.name} gives: ${input.quote(value.message) || "no message"}. Check that it is a complete video file (MP4, MKV, WebM, MOV, AVI, …) and no playlist.`);
  }
}

interface Times {
  /** When each frame that will be shown begins; NaN where the file does not say. */
  timesS: number[];
  /** From the first frame's beginning to the last frame's end. */
  lengthS: number;
  /** What ffprobe complained of. */
  message: string;
}

/** Reads the track without decoding it. */
async function readTimes(input: VideoInput, tickS: number, options: FfmpegOptions): Promise<Times> {
  const output = ffmpegOutput("ffprobe", ["-select_streams", VIDEO_TRACK, "-show_entries", "packet=pts,duration,flags", "-of", "csv=p=0", ...input.args], options);
  const packets: { start: number; length: number }[] = [];
  let rest = "";
  for (;;) {
    const { value, done } = await output.next();
    if (done) {
      // Packets come in the order of decoding.
      packets.sort((a, b) => a.start - b.start);
      const [first, last] = [packets[0]?.start ?? 0, packets.at(-1)?.start ?? 0];
      const length = packets.at(-1)?.length || (last - first) / Math.max(1, packets.length - 1);
      return { timesS: packets.map(({ start }) => start * tickS), lengthS: (last + length - first) * tickS, message: input.quote(value.message) };
    }
    const lines = (rest + value.toString("latin1")).split("\n");
    rest = lines.pop() as string;
    for (const line of lines) {
      const [start, length, flags] = line.split(",");
      // D: decoded for those after it, but cut away by the file's edit list.
      if (flags !== undefined && flags[1] !== "D") packets.push({ start: Number(start), length: Number(length) || 0 });
    }
  }
}

/** A track's own length is a promise; that of the file may be another track's, so that only with a complaint of ffprobe it counts. */
function refuseCutShort(input: VideoInput, { lengthS, message }: Pick<Times, "lengthS" | "message">, { track, file }: { track?: number; file?: number }): void {
  const promised = track ?? (message === "" ? undefined : file);
  if (promised === undefined || promised - lengthS <= TOLERATED_S + TOLERATED_PART * promised) return;
  throw new DeskhandError("unsupported_input", `Expected ${promised.toFixed(1)} s of video in ${input.name}, as its header says, but it ends after ${lengthS.toFixed(1)} s: it is cut short or damaged${message === "" ? "" : ` (ffmpeg: ${message})`}. Copy or download it again.`);
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
