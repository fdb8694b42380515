import { open, readFile, stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { DeskhandError, isDeskhandError, messageOf, throwIfAborted } from "../../core/errors.js";
import type { AudioSource } from "../messages.js";
import { decodeWithFfmpeg } from "./ffmpeg.js";
import { SAMPLE_RATE } from "./log-mel.js";
import { resample } from "./resample.js";
import { decodeWav, isWav } from "./wav.js";

/** A download larger than this is refused. */
const MAX_DOWNLOAD_BYTES = 512 * 1024 * 1024;
/** A WAVE file larger than this is not read into memory: ffmpeg decodes it as it comes. */
const MAX_WAV_BYTES = 256 * 1024 * 1024;

export interface DecodeAudioOptions {
  signal?: AbortSignal;
  /** Longer sounds are refused. */
  maxDurationS?: number;
}

/**
 * Sound as mono samples at 16 kHz. WAVE files of usual size are decoded here, everything else by ffmpeg. The caller is trusted: any file and
 * any address is read.
 * @throws DeskhandError `unsupported_input`, `dependency_missing` (no ffmpeg), `cancelled`.
 */
export async function decodeAudio(source: AudioSource, { signal, maxDurationS = Infinity }: DecodeAudioOptions = {}): Promise<Float32Array<ArrayBuffer>> {
  const options = { signal, maxDurationS };
  throwIfAborted(signal);
  if (source instanceof Float32Array) return new Float32Array(source);
  if (source instanceof Uint8Array) return decodeBytes(source, undefined, options);
  const text = String(source);
  if (/^https?:/i.test(text)) return decodeBytes(await download(text, signal), undefined, options);
  const path = /^file:/i.test(text) ? fileURLToPath(text) : text;
  try {
    if (!isWav(await headOf(path)) || (await stat(path)).size > MAX_WAV_BYTES) return await decodeByFfmpeg(path, options);
    return await decodeBytes(await readFile(path, { signal }), path, options);
  } catch (cause) {
    throwIfAborted(signal);
    if (isDeskhandError(cause)) throw cause;
    throw new DeskhandError("unsupported_input", `Expected a readable sound file but "${path}" gives: ${messageOf(cause)}.`, { cause });
  }
}

async function decodeBytes(bytes: Uint8Array, path: string | undefined, options: DecodeAudioOptions): Promise<Float32Array<ArrayBuffer>> {
  const sound = isWav(bytes) ? decodeWav(bytes) : undefined;
  if (sound === undefined) return decodeByFfmpeg(path ?? bytes, options);
  refuseLonger(sound.samples.length / sound.sampleRateHz, options.maxDurationS);
  return resample(sound.samples, sound.sampleRateHz, SAMPLE_RATE);
}

async function decodeByFfmpeg(source: string | Uint8Array, options: DecodeAudioOptions): Promise<Float32Array<ArrayBuffer>> {
  const samples = await decodeWithFfmpeg(source, options);
  refuseLonger(samples.length / SAMPLE_RATE, options.maxDurationS);
  return samples;
}

/** @throws DeskhandError `unsupported_input` */
function refuseLonger(durationS: number, maxDurationS = Infinity): void {
  if (durationS > maxDurationS) throw new DeskhandError("unsupported_input", `Expected a sound of at most ${maxDurationS} s but it is longer. Cut it into parts.`);
}

/** Enough of a file to know a WAVE by. */
async function headOf(path: string): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const head = new Uint8Array(12);
    const { bytesRead } = await file.read(head, 0, head.length, 0);
    return head.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

async function download(url: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const { host, pathname } = new URL(url);
  try {
    const response = await fetch(url, { signal });
    if (!response.ok || response.body === null) throw new Error(`the server answered ${response.status}`);
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      length += chunk.byteLength;
      if (length > MAX_DOWNLOAD_BYTES) throw new Error(`it has more than ${MAX_DOWNLOAD_BYTES} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks, length);
  } catch (cause) {
    throwIfAborted(signal);
    throw new DeskhandError("unsupported_input", `Expected sound at ${host}${pathname} but the download failed: ${messageOf(cause)}. Check the address, or give the file itself.`, { cause });
  }
}
