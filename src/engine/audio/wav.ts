import { DeskhandError } from "../../core/errors.js";

/** Mono sound: channels averaged, full scale ±1. */
export interface Sound {
  samples: Float32Array<ArrayBuffer>;
  sampleRateHz: number;
}

interface Format {
  kind: "integer" | "float";
  channels: number;
  sampleRateHz: number;
  bits: number;
}

const PCM = 1;
const FLOAT = 3;
const EXTENSIBLE = 0xfffe;

/** Whether the bytes begin like a RIFF/WAVE file. */
export function isWav(bytes: Uint8Array): boolean {
  const head = Buffer.from(bytes.subarray(0, 12)).toString("latin1");
  return head.startsWith("RIFF") && head.slice(8) === "WAVE";
}

/**
 * Reads a WAVE file: integers of 8, 16, 24 or 32 bits and floats of 32 or 64, any rate and channel count. `undefined` for a
 * coding it does not know (ADPCM, A-law, …).
 * @throws DeskhandError `unsupported_input` for a damaged file.
 */
export function decodeWav(bytes: Uint8Array): Sound | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let format: Format | undefined;
  for (let at = 12; at + 8 <= bytes.byteLength; ) {
    const id = Buffer.from(bytes.subarray(at, at + 4)).toString("latin1");
    const size = view.getUint32(at + 4, true);
    const start = at + 8;
    if (id === "fmt ") {
      if (size < 16 || start + size > bytes.byteLength) throw damaged("its format chunk is cut off");
      format = readFormat(view, start, size);
      if (format === undefined) return undefined;
    } else if (id === "data") {
      if (format === undefined) throw damaged("its samples come before their format");
      // A writer that streams leaves the size open: the samples then go on to the end of the file.
      return readSamples(view, start, Math.min(size, bytes.byteLength - start), format);
    }
    at = start + size + (size % 2);
  }
  throw damaged("it has no samples");
}

function readFormat(view: DataView, at: number, size: number): Format | undefined {
  const tag = view.getUint16(at, true);
  const code = tag === EXTENSIBLE && size >= 26 ? view.getUint16(at + 24, true) : tag;
  const channels = view.getUint16(at + 2, true);
  const sampleRateHz = view.getUint32(at + 4, true);
  const bits = view.getUint16(at + 14, true);
  if (channels === 0 || sampleRateHz === 0) throw damaged(`it names ${channels} channels at ${sampleRateHz} Hz`);
  if (code === PCM && [8, 16, 24, 32].includes(bits)) return { kind: "integer", channels, sampleRateHz, bits };
  if (code === FLOAT && [32, 64].includes(bits)) return { kind: "float", channels, sampleRateHz, bits };
  return undefined;
}

function readSamples(view: DataView, start: number, size: number, format: Format): Sound {
  const { channels, bits } = format;
  const width = bits / 8;
  const samples = new Float32Array(Math.floor(size / (width * channels)));
  const read = sampleReader(view, format);
  for (let i = 0; i < samples.length; i++) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) sum += read(start + (i * channels + channel) * width);
    samples[i] = sum / channels;
  }
  return { samples, sampleRateHz: format.sampleRateHz };
}

function sampleReader(view: DataView, { kind, bits }: Format): (at: number) => number {
  if (kind === "float") return bits === 32 ? (at) => view.getFloat32(at, true) : (at) => view.getFloat64(at, true);
  switch (bits) {
    case 8: // the only one without a sign
      return (at) => (view.getUint8(at) - 128) / 2 ** 7;
    case 16:
      return (at) => view.getInt16(at, true) / 2 ** 15;
    case 24:
      return (at) => (view.getUint16(at, true) + view.getInt8(at + 2) * 2 ** 16) / 2 ** 23;
    default:
      return (at) => view.getInt32(at, true) / 2 ** 31;
  }
}

function damaged(why: string): DeskhandError {
  return new DeskhandError("unsupported_input", `Expected a complete WAVE file but ${why}. Record or export it again.`);
}
