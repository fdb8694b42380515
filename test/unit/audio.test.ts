import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { decodeAudio } from "../../src/engine/audio/decode.js";
import { Fft } from "../../src/engine/audio/fft.js";
import { resample } from "../../src/engine/audio/resample.js";
import { decodeWav } from "../../src/engine/audio/wav.js";

function wav({ code, channels, rate, bits, data, open = false }: { code: number; channels: number; rate: number; bits: number; data: Buffer; open?: boolean }): Buffer {
  const head = Buffer.alloc(58);
  head.write("RIFF", 0, "latin1");
  head.writeUInt32LE(50 + data.length, 4);
  head.write("WAVEfmt ", 8, "latin1");
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(code, 20);
  head.writeUInt16LE(channels, 22);
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE((rate * channels * bits) / 8, 28);
  head.writeUInt16LE((channels * bits) / 8, 32);
  head.writeUInt16LE(bits, 34);
  // A chunk of odd length that nobody knows, padded.
  head.write("odd ", 36, "latin1");
  head.writeUInt32LE(5, 40);
  head.write("data", 50, "latin1");
  head.writeUInt32LE(open ? 0xffffffff : data.length, 54);
  return Buffer.concat([head, data]);
}

const tone = (hertz: number, rate: number, length: number): Float32Array<ArrayBuffer> => Float32Array.from({ length }, (_, i) => Math.sin((2 * Math.PI * hertz * i) / rate));

describe("WAVE files", () => {
  it.each([
    ["8 bits", 1, 8, [0, 64, 128, 255], [-1, -0.5, 0, 127 / 128], (b: Buffer, v: number, i: number) => b.writeUInt8(v, i)],
    ["16 bits", 1, 16, [-32768, -1, 0, 32767], [-1, -1 / 32768, 0, 32767 / 32768], (b: Buffer, v: number, i: number) => b.writeInt16LE(v, 2 * i)],
    ["24 bits", 1, 24, [-8388608, -1, 0, 4194304], [-1, -1 / 8388608, 0, 0.5], (b: Buffer, v: number, i: number) => b.writeIntLE(v, 3 * i, 3)],
    ["32 bits", 1, 32, [-2147483648, 0, 1073741824], [-1, 0, 0.5], (b: Buffer, v: number, i: number) => b.writeInt32LE(v, 4 * i)],
    ["float", 3, 32, [-1, 0.25, 0.5], [-1, 0.25, 0.5], (b: Buffer, v: number, i: number) => b.writeFloatLE(v, 4 * i)],
    ["double", 3, 64, [-1, 0.25, 0.5], [-1, 0.25, 0.5], (b: Buffer, v: number, i: number) => b.writeDoubleLE(v, 8 * i)],
  ] as const)("of %s", (_, code, bits, values, expected, write) => {
    const data = Buffer.alloc((values.length * bits) / 8);
    values.forEach((value, i) => write(data, value, i));
    const sound = decodeWav(wav({ code, channels: 1, rate: 44100, bits, data }));
    expect(sound?.sampleRateHz).toBe(44100);
    expect([...sound!.samples]).toEqual(expected.map(Math.fround));
  });

  it("of several channels are averaged, and an open end is read to the end", () => {
    const data = Buffer.from(Int16Array.from([16384, 0, -16384, -16384, 0, 8192]).buffer);
    expect([...decodeWav(wav({ code: 1, channels: 3, rate: 8000, bits: 16, data, open: true }))!.samples]).toEqual([0, Math.fround(-8192 / 3 / 32768)]);
  });

  it("that are damaged are refused", () => {
    expect(() => decodeWav(wav({ code: 1, channels: 0, rate: 8000, bits: 16, data: Buffer.alloc(2) }))).toThrow(/0 channels/);
    expect(() => decodeWav(wav({ code: 1, channels: 1, rate: 8000, bits: 16, data: Buffer.alloc(2) }).subarray(0, 50))).toThrow(/no samples/);
  });
});

describe("resampling", () => {
  // Away from the ends, where the sound begins and stops abruptly; 1e-3 is -60 dB.
  it.each([8000, 11025, 22050, 44100, 48000, 96000])("keeps a tone from %i Hz", (rate) => {
    const out = resample(tone(1000.5, rate, rate / 2), rate, 16000);
    expect(out.length).toBe(8000);
    const expected = tone(1000.5, 16000, 8000);
    let worst = 0;
    for (let i = 500; i < 7500; i++) worst = Math.max(worst, Math.abs(out[i]! - expected[i]!));
    expect(worst).toBeLessThan(1e-3);
  });

  it("removes what the new rate cannot hold", () => {
    const out = resample(tone(9000, 44100, 22050), 44100, 16000);
    expect(Math.max(...out.subarray(500, 7500).map(Math.abs))).toBeLessThan(1e-3);
  });
});

it.each([1, 7, 30, 400])("a transform of %i values is the defining sum", (length) => {
  const re = Float64Array.from({ length }, (_, i) => Math.cos(i * i));
  const im = Float64Array.from({ length }, (_, i) => Math.sin(3 * i + 1));
  const [outRe, outIm] = [new Float64Array(length), new Float64Array(length)];
  new Fft(length).transform(re, im, outRe, outIm);
  for (let k = 0; k < length; k++) {
    let [x, y] = [0, 0];
    for (let i = 0; i < length; i++) {
      const angle = (-2 * Math.PI * k * i) / length;
      x += re[i]! * Math.cos(angle) - im[i]! * Math.sin(angle);
      y += re[i]! * Math.sin(angle) + im[i]! * Math.cos(angle);
    }
    expect(Math.hypot(outRe[k]! - x, outIm[k]! - y)).toBeLessThan(1e-9);
  }
});

describe("other containers", () => {
  let dir: string;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "audio-"));
    vi.stubEnv("PATH", dir);
  });

  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(dir, { recursive: true });
  });

  const install = async (script: string): Promise<void> => {
    await writeFile(join(dir, "ffmpeg"), `#!/bin/sh\n${script}\n`);
    await chmod(join(dir, "ffmpeg"), 0o755);
  };

  it("need ffmpeg, and the error says so", async () => {
    await expect(decodeAudio(Buffer.from("OggS…"))).rejects.toMatchObject({ code: "dependency_missing" });
  });

  it("are decoded by ffmpeg", async () => {
    await install(`printf '\\000\\000\\200\\077\\000\\000\\000\\277'`);
    await writeFile(join(dir, "sound.ogg"), "OggS");
    expect([...(await decodeAudio(join(dir, "sound.ogg")))]).toEqual([1, -0.5]);
    expect([...(await decodeAudio(Buffer.alloc(1_000_000)))]).toEqual([1, -0.5]);
  });

  it("that ffmpeg refuses are refused with its words", async () => {
    await install("echo 'no audio stream' >&2; exit 1");
    await expect(decodeAudio(Buffer.from("OggS"))).rejects.toThrow(/no audio stream/);
  });

  it("a file that is not there is named", async () => {
    await expect(decodeAudio(join(dir, "none.ogg"))).rejects.toMatchObject({ code: "unsupported_input" });
  });
});
