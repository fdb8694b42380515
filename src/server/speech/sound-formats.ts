import { spawn } from "node:child_process";
import { once } from "node:events";
import { DeskhandError, throwIfAborted } from "../../core/errors.js";

/** As OpenAI names them. */
export const SOUND_FORMATS = ["mp3", "opus", "aac", "flac", "wav", "pcm"] as const;
export type SoundFormat = (typeof SOUND_FORMATS)[number];

interface Encoding {
  contentType: string;
  /** What ffmpeg is told of it. */
  args: readonly string[];
}

/** `pcm` is what OpenAI's is: 16-bit little-endian samples at 24 kHz, one channel, no header. */
const ENCODINGS: Record<Exclude<SoundFormat, "wav">, Encoding> = {
  mp3: { contentType: "audio/mpeg", args: ["-c:a", "libmp3lame", "-f", "mp3"] },
  opus: { contentType: "audio/ogg", args: ["-c:a", "libopus", "-f", "ogg"] },
  aac: { contentType: "audio/aac", args: ["-c:a", "aac", "-f", "adts"] },
  flac: { contentType: "audio/flac", args: ["-c:a", "flac", "-f", "flac"] },
  pcm: { contentType: "audio/pcm", args: ["-c:a", "pcm_s16le", "-ar", "24000", "-ac", "1", "-f", "s16le"] },
};

export interface Sound {
  contentType: string;
  bytes: Buffer;
}

/**
 * A WAVE file in another format, by ffmpeg.
 * @throws DeskhandError `dependency_missing` without ffmpeg, `cancelled`.
 */
export async function toSoundFormat(wave: Buffer, format: SoundFormat, signal: AbortSignal): Promise<Sound> {
  if (format === "wav") return { contentType: "audio/wav", bytes: wave };
  const { contentType, args } = ENCODINGS[format];
  const child = spawn("ffmpeg", ["-v", "error", "-f", "wav", "-i", "pipe:0", ...args, "pipe:1"], { signal, killSignal: "SIGKILL", stdio: ["pipe", "pipe", "pipe"] });
  const chunks: Buffer[] = [];
  let message = "";
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (message = (message + text).slice(-500)));
  // It may end before it has read everything; its status says so.
  child.stdin.on("error", () => undefined).end(wave);
  try {
    const [status] = (await once(child, "close")) as [number | null];
    if (status !== 0) throw new DeskhandError("internal", `Expected ffmpeg to write ${format} but it ended with ${status}: ${message.trim() || "no message"}.`);
  } catch (cause) {
    throwIfAborted(signal);
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") {
      throw new DeskhandError("dependency_missing", `Expected ffmpeg on the server's PATH to write ${format} but there is none. Ask for response_format "wav", or install ffmpeg (apt install ffmpeg, brew install ffmpeg).`, { cause, param: "response_format" });
    }
    throw cause;
  }
  return { contentType, bytes: Buffer.concat(chunks) };
}
