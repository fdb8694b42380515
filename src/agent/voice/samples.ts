/** All speech is 16-bit mono at this rate: what recorders give and Whisper wants. */
export const RATE = 16_000;

/** Bytes as little-endian samples, whole ones only; the odd byte waits for its other half. */
export async function* toSamples(bytes: AsyncIterable<Buffer>): AsyncGenerator<Int16Array> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of bytes) {
    const all = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    const samples = new Int16Array(all.length >> 1);
    for (let i = 0; i < samples.length; i++) samples[i] = all.readInt16LE(2 * i);
    rest = all.subarray(2 * samples.length);
    if (samples.length > 0) yield samples;
  }
}

export function joined(parts: readonly Int16Array[]): Int16Array<ArrayBuffer> {
  const all = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The samples up to a place and those behind it; all in one piece where the place is not among them. */
export function cut(samples: Int16Array, at: number): Int16Array[] {
  return at > 0 && at < samples.length ? [samples.subarray(0, at), samples.subarray(at)] : [samples];
}

/** A WAVE file. */
export function toWave(samples: Int16Array): Buffer {
  const file = Buffer.alloc(44 + 2 * samples.length);
  file.write("RIFF", 0);
  file.writeUInt32LE(file.length - 8, 4);
  file.write("WAVEfmt ", 8);
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(RATE, 24);
  file.writeUInt32LE(2 * RATE, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write("data", 36);
  file.writeUInt32LE(2 * samples.length, 40);
  samples.forEach((sample, i) => file.writeInt16LE(sample, 44 + 2 * i));
  return file;
}
