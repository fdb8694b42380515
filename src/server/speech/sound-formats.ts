import { DeskhandError, throwIfAborted } from "../../core/errors.js";
import { runProgram } from "./run-program.js";

/** As OpenAI names them. */
export const SOUND_FORMATS = ["mp3", "opus", "aac", "flac", "wav", "pcm"] as const;
export type SoundFormat = (typeof SOUND_FORMATS)[number];

export const CONTENT_TYPES: Record<SoundFormat, string> = { mp3: "audio/mpeg", opus: "audio/ogg", aac: "audio/aac", flac: "audio/flac", wav: "audio/wav", pcm: "audio/pcm" };

/** What ffmpeg is told. `pcm` is what OpenAI's is: 16-bit little-endian samples at 24 kHz, one channel, no header. */
const ENCODINGS: Record<Exclude<SoundFormat, "wav">, readonly string[]> = {
  mp3: ["-c:a", "libmp3lame", "-f", "mp3"],
  opus: ["-c:a", "libopus", "-f", "ogg"],
  aac: ["-c:a", "aac", "-f", "adts"],
  flac: ["-c:a", "flac", "-f", "flac"],
  pcm: ["-c:a", "pcm_s16le", "-ar", "24000", "-ac", "1", "-f", "s16le"],
};

/**
 * A WAVE file in another format, by ffmpeg.
 * @throws DeskhandError `dependency_missing` without ffmpeg, `cancelled`.
 */
export async function toSoundFormat(wave: Buffer, format: SoundFormat, signal: AbortSignal): Promise<Buffer> {
  if (format === "wav") return wave;
  try {
    const { status, output, message } = await runProgram("ffmpeg", ["-v", "error", "-f", "wav", "-i", "pipe:0", ...ENCODINGS[format], "pipe:1"], wave, signal);
    if (status === 0) return output;
    throw new DeskhandError("internal", `Expected ffmpeg to write ${format} but it ended with ${status}: ${message}.`);
  } catch (cause) {
    throwIfAborted(signal);
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") {
      throw new DeskhandError("dependency_missing", `Expected ffmpeg on the server's PATH to write ${format} but there is none. Ask for response_format "wav", or install ffmpeg (apt install ffmpeg, brew install ffmpeg).`, { cause, param: "response_format" });
    }
    throw cause;
  }
}
