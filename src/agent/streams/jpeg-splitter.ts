import { DeskhandError } from "../../core/errors.js";

/** Larger than any picture of a camera; a stream without an end of picture must not fill the memory. */
const MAX_FRAME_BYTES = 32 * 2 ** 20;

/**
 * Cuts a stream of JPEG pictures, one after the other, into pictures, however the stream is split. It follows the segments by their
 * lengths: an end marker inside a thumbnail or a comment ends nothing. What is no JPEG is skipped up to the next beginning.
 */
export class JpegSplitter {
  #data = Buffer.allocUnsafe(2 ** 16);
  #length = 0;
  /** What stands before it has been looked at. */
  #at = 0;
  #place: "before" | "segments" | "scan" = "before";
  readonly #maxBytes: number;

  constructor(maxBytes = MAX_FRAME_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** Pictures that these bytes complete. @throws DeskhandError `stream_unavailable` when a picture has no end. */
  push(bytes: Uint8Array): Buffer[] {
    this.#append(bytes);
    const pictures: Buffer[] = [];
    while (this.#step()) {
      if (this.#place !== "before" || this.#at === 0) continue;
      // A copy: the stream goes on in the same memory.
      pictures.push(Buffer.from(this.#data.subarray(0, this.#at)));
      this.#drop(this.#at);
    }
    if (this.#length > this.#maxBytes) throw new DeskhandError("stream_unavailable", `Expected pictures of at most ${this.#maxBytes} bytes but one has more, and no end. Is the source a video?`);
    return pictures;
  }

  /** One marker, segment or stretch of data further; false when that takes more bytes. `before` with something read is a whole picture. */
  #step(): boolean {
    const data = this.#data.subarray(0, this.#length);
    if (this.#place === "before") return this.#begin(data);
    if (this.#place === "scan") return this.#scan(data);
    if (this.#at + 2 > data.length) return false;
    const [prefix, marker] = [data[this.#at], data[this.#at + 1] as number];
    if (prefix !== 0xff) return this.#startAnew(this.#at);
    // Fill bytes.
    if (marker === 0xff) return this.#goTo(this.#at + 1, "segments");
    if (marker === 0xd9) return this.#goTo(this.#at + 2, "before");
    // A beginning inside a picture: the one before was cut off.
    if (marker === 0xd8) return this.#startAnew(this.#at);
    if (marker === 0x01 || isRestart(marker)) return this.#goTo(this.#at + 2, "segments");
    if (this.#at + 4 > data.length) return false;
    const length = data.readUInt16BE(this.#at + 2);
    if (length < 2) return this.#startAnew(this.#at + 2);
    const end = this.#at + 2 + length;
    return end <= data.length && this.#goTo(end, marker === 0xda ? "scan" : "segments");
  }

  #begin(data: Buffer): boolean {
    for (let at = 0; ; at++) {
      at = data.indexOf(0xff, at);
      if (at === -1 || at + 1 === data.length) {
        this.#drop(at === -1 ? data.length : at);
        return false;
      }
      if (data[at + 1] !== 0xd8) continue;
      this.#drop(at);
      return this.#goTo(2, "segments");
    }
  }

  /** Compressed data: `FF 00` is a byte of it, and restart markers stand in it. */
  #scan(data: Buffer): boolean {
    const at = data.indexOf(0xff, this.#at);
    if (at === -1 || at + 1 === data.length) {
      this.#at = at === -1 ? data.length : at;
      return false;
    }
    const next = data[at + 1] as number;
    const isData = next === 0 || isRestart(next);
    return this.#goTo(isData ? at + 2 : at, isData ? "scan" : "segments");
  }

  #goTo(at: number, place: "before" | "segments" | "scan"): boolean {
    this.#at = at;
    this.#place = place;
    return true;
  }

  #startAnew(from: number): boolean {
    this.#drop(from);
    this.#place = "before";
    return true;
  }

  #append(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#data.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, 2 * this.#data.length));
      this.#data.copy(larger, 0, 0, this.#length);
      this.#data = larger;
    }
    this.#data.set(bytes, this.#length);
    this.#length = length;
  }

  #drop(count: number): void {
    this.#data.copyWithin(0, count, this.#length);
    this.#length -= count;
    this.#at = 0;
  }
}

function isRestart(marker: number): boolean {
  return marker >= 0xd0 && marker <= 0xd7;
}
