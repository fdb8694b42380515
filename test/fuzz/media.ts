import { readFile } from "node:fs/promises";
import { deflateSync } from "node:zlib";
import sharp from "sharp";
import type { Random } from "../unit/support/random-schemas.js";
import { randomBytes } from "./bodies.js";

/** Something that a request may bring, as it is sent. */
export interface Media {
  part: object;
  bytes: number;
}

const FIXTURES = new URL("../golden/fixtures/", import.meta.url);

/** Good files of every format, which fuzzing damages. */
export async function goodFiles(): Promise<{ pictures: { type: string; bytes: Buffer }[]; sounds: Buffer[] }> {
  const noise = sharp({ create: { width: 48, height: 32, channels: 3, background: "#369", noise: { type: "gaussian", mean: 128, sigma: 40 } } });
  const pictures = [
    { type: "image/png", bytes: await noise.clone().png().toBuffer() },
    { type: "image/png", bytes: await noise.clone().png({ palette: true, colours: 8 }).toBuffer() },
    { type: "image/jpeg", bytes: await noise.clone().jpeg().toBuffer() },
    { type: "image/jpeg", bytes: await noise.clone().jpeg({ progressive: true }).withMetadata({ orientation: 6 }).toBuffer() },
    { type: "image/webp", bytes: await noise.clone().webp().toBuffer() },
    { type: "image/webp", bytes: await noise.clone().webp({ lossless: true }).toBuffer() },
    { type: "image/gif", bytes: await noise.clone().gif().toBuffer() },
    { type: "image/tiff", bytes: await noise.clone().tiff().toBuffer() },
    { type: "image/avif", bytes: await noise.clone().avif({ effort: 0 }).toBuffer() },
    ...bombs(),
  ];
  const sounds = [await readFile(new URL("sounds/click.wav", FIXTURES))].map((bytes) => bytes.subarray(0, 4_000));
  return { pictures, sounds };
}

/** Few bytes that say they are a great many. */
function bombs(): { type: string; bytes: Buffer }[] {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="60000" height="60000"><image href="file:///etc/passwd"/></svg>`;
  const gif = Buffer.from("GIF89a\xff\xff\xff\xff\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\xff\xff\xff\xff\0\x02\x02D\x01\0;", "latin1");
  return [
    { type: "image/png", bytes: png(50_000, 50_000) },
    { type: "image/png", bytes: png(2 ** 31 - 1, 1) },
    { type: "image/png", bytes: png(0, 0) },
    { type: "image/gif", bytes: gif },
    { type: "image/svg+xml", bytes: Buffer.from(svg) },
    { type: "application/octet-stream", bytes: Buffer.from("%PDF-1.7\n1 0 obj<</Type/Page/MediaBox[0 0 99999 99999]>>endobj") },
  ];
}

/** A PNG of one colour that says it has this size, and has the pixels of a little of it. */
function png(width: number, height: number): Buffer {
  const chunk = (name: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(name), data]);
    const head = Buffer.alloc(4);
    head.writeUInt32BE(data.length);
    const check = Buffer.alloc(4);
    check.writeUInt32BE(crc32(body));
    return Buffer.concat([head, body, check]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([1, 0, 0, 0, 0], 8);
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), chunk("IHDR", header), chunk("IDAT", deflateSync(Buffer.alloc(1_000_000))), chunk("IEND", Buffer.alloc(0))]);
}

function crc32(bytes: Buffer): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/** Bytes changed, cut, doubled or put in, the first few (which name the format) no more often than others. */
export function damaged(random: Random, good: Buffer): Buffer {
  let bytes = Buffer.from(good);
  switch (random.int(0, 4)) {
    case 0:
      return bytes.subarray(0, random.int(0, bytes.length));
    case 1:
      for (let times = random.int(1, 20); times > 0; times--) bytes[random.int(0, bytes.length - 1)] = random.int(0, 255);
      return bytes;
    case 2:
      // Sizes stand near the beginning.
      for (let times = random.int(1, 4); times > 0; times--) bytes[random.int(0, Math.min(63, bytes.length - 1))] = random.pick([0, 1, 0x7f, 0x80, 0xff]);
      return bytes;
    case 3: {
      const at = random.int(0, bytes.length);
      bytes = Buffer.concat([bytes.subarray(0, at), randomBytes(random, random.int(1, 64)), bytes.subarray(at)]);
      return bytes;
    }
    default:
      return bytes;
  }
}

/** A data URI, most often of the form that it should have. */
export function dataUri(random: Random, type: string, bytes: Buffer): string {
  const base64 = bytes.toString("base64");
  if (random.chance(0.85)) return `data:${type};base64,${base64}`;
  return random.pick([
    `data:${type},${base64}`,
    `data:;base64,${base64}`,
    `DATA:${type};BASE64,${base64}`,
    `data:${type};charset=utf-8;base64,${base64}`,
    `data:${type};base64,${base64.slice(1)}`,
    `data:${type};base64,${base64}====`,
    `data:${type};base64,%%%${base64}`,
    `data:${type};base64,${base64.replace(/(.{40})/g, "$1\r\n")}`,
    `data:${type};base64,`,
    `data:text/html;base64,${base64}`,
    base64,
    "data:",
    "",
  ]);
}
