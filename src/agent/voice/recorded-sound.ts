import { spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { access } from "node:fs/promises";
import type { Readable } from "node:stream";
import { DeskhandError, messageOf } from "../../core/errors.js";
import { findProgram } from "../../core/programs.js";
import { RATE, toSamples } from "./samples.js";
import type { SoundSource } from "./sound-source.js";

const INPUT = "--input";

/** A sound file of any format. WAVE files of 16-bit mono at 16 kHz are read as they are, everything else by ffmpeg. @throws DeskhandError `invalid_argument`, `dependency_missing`. */
export async function openSoundFile(file: string): Promise<SoundSource> {
  try {
    await access(file);
  } catch (cause) {
    throw new DeskhandError("invalid_argument", `Expected a sound file but ${file} cannot be read: ${messageOf(cause)}.`, { param: INPUT, cause });
  }
  return openStream(createReadStream(file), { name: file, live: false });
}

/** A stream with a WAVE header, or without one 16-bit little-endian mono at 16 kHz; anything that ffmpeg knows by its first bytes too. */
export async function openSoundStream(stream: Readable): Promise<SoundSource> {
  return openStream(stream, { name: "the stream", live: true });
}

async function openStream(stream: Readable, { name, live }: Pick<SoundSource, "name" | "live">): Promise<SoundSource> {
  const first = await firstBytes(stream);
  const header = plainHeader(first);
  const isRaw = live && !looksLikeFile(first);
  const close = async (): Promise<void> => void stream.destroy();
  if (header !== undefined || isRaw) return { name, live, samples: toSamples(withFirst(first.subarray(header ?? 0), stream)), [Symbol.asyncDispose]: close };
  return decoded(first, stream, { name, live });
}

/** Enough to know the format by; less when the stream is shorter. */
async function firstBytes(stream: Readable): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let length = 0; length < 44; ) {
    const chunk = stream.read() as Buffer | null;
    if (chunk !== null) {
      parts.push(chunk);
      length += chunk.length;
      continue;
    }
    if (stream.readableEnded || stream.destroyed) break;
    const done = new AbortController();
    await Promise.race([once(stream, "readable", { signal: done.signal }), once(stream, "end", { signal: done.signal })]).finally(() => done.abort());
    if (stream.readableLength === 0) break;
  }
  return Buffer.concat(parts);
}

/** Where the samples begin in a WAVE file of the one format that needs no decoding. */
function plainHeader(bytes: Buffer): number | undefined {
  if (bytes.toString("latin1", 0, 4) !== "RIFF" || bytes.toString("latin1", 8, 16) !== "WAVEfmt ") return undefined;
  const [format, channels, rate, bits] = [bytes.readUInt16LE(20), bytes.readUInt16LE(22), bytes.readUInt32LE(24), bytes.readUInt16LE(34)];
  const data = 20 + bytes.readUInt32LE(16);
  const isPlain = format === 1 && channels === 1 && rate === RATE && bits === 16 && bytes.toString("latin1", data, data + 4) === "data";
  return isPlain ? data + 8 : undefined;
}

function looksLikeFile(bytes: Buffer): boolean {
  const start = bytes.toString("latin1", 0, 12);
  return /^(RIFF|OggS|fLaC|ID3|FORM|caff|\x1aE\xdf\xa3)/.test(start) || start.slice(4, 8) === "ftyp";
}

async function* withFirst(first: Buffer, stream: Readable): AsyncGenerator<Buffer> {
  if (first.length > 0) yield first;
  for await (const chunk of stream) yield chunk as Buffer;
}

function decoded(first: Buffer, stream: Readable, { name, live }: Pick<SoundSource, "name" | "live">): SoundSource {
  if (findProgram("ffmpeg") === undefined) {
    throw new DeskhandError("dependency_missing", `Expected a WAVE file of 16-bit mono at 16 kHz but ${name} is something else, and ffmpeg, which reads that, is not installed. Install ffmpeg.`);
  }
  const child = spawn("ffmpeg", ["-nostdin", "-v", "error", "-i", "pipe:0", "-f", "s16le", "-ac", "1", "-ar", String(RATE), "pipe:1"], { stdio: ["pipe", "pipe", "pipe"] });
  let words = "";
  let closing = false;
  child.stderr.on("data", (chunk: Buffer) => (words = (words + chunk.toString()).slice(-500)));
  // It may have read enough before everything is written.
  child.stdin.on("error", () => undefined);
  child.on("error", (error) => (words = error.message));
  const exited = new Promise<number | null>((resolve) => child.on("close", resolve));
  child.stdin.write(first);
  stream.pipe(child.stdin);
  async function* bytes(): AsyncGenerator<Buffer> {
    for await (const chunk of child.stdout) yield chunk as Buffer;
    if ((await exited) !== 0 && !closing) throw new DeskhandError("unsupported_input", `Expected sound in ${name} but ffmpeg could not read it: ${words.trim().replace(/\s+/g, " ")}`, { param: INPUT });
  }
  return {
    name,
    live,
    samples: toSamples(bytes()),
    [Symbol.asyncDispose]: async () => {
      closing = true;
      stream.destroy();
      child.kill();
      await exited;
    },
  };
}
