import { spawn } from "node:child_process";
import { once } from "node:events";
import { pipeline } from "node:stream/promises";
import { Readable } from "node:stream";
import { DeskhandError, throwIfAborted } from "../../core/errors.js";
import { SAMPLE_RATE } from "./log-mel.js";

/** How much of what ffmpeg says goes into an error. */
const MAX_MESSAGE = 500;

/**
 * Decodes sound of any container by ffmpeg into mono at 16 kHz, as it comes: the file is not read into memory.
 * @param source a path, or the file's bytes.
 * @throws DeskhandError `dependency_missing` without ffmpeg, `unsupported_input` when it cannot decode, `cancelled`.
 */
export async function decodeWithFfmpeg(source: string | Uint8Array, signal?: AbortSignal): Promise<Float32Array<ArrayBuffer>> {
  const input = typeof source === "string" ? `file:${source}` : "pipe:0";
  const child = spawn("ffmpeg", ["-nostdin", "-v", "error", "-i", input, "-vn", "-f", "f32le", "-ac", "1", "-ar", String(SAMPLE_RATE), "pipe:1"], { signal });
  const ended = once(child, "close") as Promise<[number | null]>;
  // Heard only after the output has ended; until then an early failure must not count as unhandled.
  ended.catch(() => undefined);
  // ffmpeg may stop reading before the end, e.g. at damaged data; its exit status says whether that was one.
  if (typeof source === "string") child.stdin.end();
  else void pipeline(Readable.from([source]), child.stdin).catch(() => undefined);
  let message = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (message = (message + text).slice(-MAX_MESSAGE)));
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  try {
    const [status] = await ended;
    if (status !== 0) throw new DeskhandError("unsupported_input", `Expected sound that ffmpeg can decode but it ended with ${status}: ${message.trim() || "no message"}. Give a file with an audio track.`);
  } catch (cause) {
    throwIfAborted(signal);
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") {
      throw new DeskhandError("dependency_missing", "Expected ffmpeg on the PATH, which decodes sound other than WAVE files, but there is none. Install it (apt install ffmpeg, brew install ffmpeg), or give a WAVE file.", { cause });
    }
    throw cause;
  }
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const samples = new Float32Array(Math.floor(length / 4));
  // Samples are little-endian, as every platform that MLX runs on is.
  const bytes = new Uint8Array(samples.buffer);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk.subarray(0, Math.max(0, bytes.length - at)), at);
    at += chunk.length;
  }
  return samples;
}
