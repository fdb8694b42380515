import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DeskhandError, throwIfAborted } from "../../core/errors.js";
import { FILM_FORMATS } from "../../core/film-formats.js";
import { SAMPLE_RATE } from "./log-mel.js";

/** How much of what ffmpeg says goes into an error. */
const MAX_MESSAGE = 500;

export interface FfmpegAudioOptions {
  signal?: AbortSignal;
  /** Longer sounds are cut a little after this. */
  maxDurationS?: number;
}

/**
 * Decodes sound of any container by ffmpeg into mono at 16 kHz, as it comes: the file is not read into memory. What is found in it
 * cannot lead to further files or addresses.
 * @param source a path, or the file's bytes.
 * @throws DeskhandError `dependency_missing` without ffmpeg, `unsupported_input` when it cannot decode, `cancelled`.
 */
export async function decodeWithFfmpeg(source: string | Uint8Array, options: FfmpegAudioOptions = {}): Promise<Float32Array<ArrayBuffer>> {
  if (typeof source === "string") return decodeFile(source, options);
  // A file, because many containers have their table of contents at the end.
  const dir = await mkdtemp(join(tmpdir(), "deskhand-sound-"));
  try {
    const path = join(dir, "sound");
    await writeFile(path, source, { mode: 0o600, signal: options.signal });
    return await decodeFile(path, options);
  } catch (error) {
    throwIfAborted(options.signal);
    throw error;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function decodeFile(path: string, { signal, maxDurationS = Infinity }: FfmpegAudioOptions): Promise<Float32Array<ArrayBuffer>> {
  const address = `file:${path}`;
  const guards = ["-protocol_whitelist", "file", "-format_whitelist", FILM_FORMATS];
  // A second more shows that it goes on.
  const cut = Number.isFinite(maxDurationS) ? ["-t", String(maxDurationS + 1)] : [];
  const args = ["-nostdin", "-v", "error", ...guards, "-i", address, "-vn", ...cut, "-f", "f32le", "-ac", "1", "-ar", String(SAMPLE_RATE), "pipe:1"];
  const child = spawn("ffmpeg", args, { signal, killSignal: "SIGKILL", stdio: ["ignore", "pipe", "pipe"] });
  const ended = once(child, "close") as Promise<[number | null]>;
  // Heard only after the output has ended; until then an early failure must not count as unhandled.
  ended.catch(() => undefined);
  let message = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (message = (message + text).slice(-MAX_MESSAGE)));
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  try {
    const [status] = await ended;
    if (status !== 0) throw new DeskhandError("unsupported_input", `Expected sound that ffmpeg can decode but it ended with ${status}: ${message.replaceAll(address, "the sound").trim() || "no message"}. Give a file with an audio track.`);
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
