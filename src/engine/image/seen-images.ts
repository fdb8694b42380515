import { createHash } from "node:crypto";
import { decodeImage, imageContentHash, type DecodedImage } from "./decode.js";

/** Pictures that are remembered; a little more than a hundred bytes each. */
const SEEN_MAX = 16_384;

interface Seen {
  contentHash: string;
  widthPx: number;
  heightPx: number;
}

/**
 * Sizes and content of pictures by their encoded bytes. Agents send all screenshots of a history with every step: what the caches have of
 * the old ones need not be decoded for that.
 */
export class SeenImages {
  /** The one seen least lately comes first. */
  readonly #seen = new Map<string, Seen>();

  /** A picture: as `decodeImage` gives it the first time, without its pixels from then on. @throws as `decodeImage` */
  async read(bytes: Uint8Array, signal: AbortSignal | undefined): Promise<DecodedImage> {
    const key = createHash("sha256").update(bytes).digest("base64");
    const known = this.#seen.get(key);
    this.#seen.delete(key);
    if (known !== undefined) {
      this.#seen.set(key, known);
      const { contentHash, widthPx, heightPx } = known;
      return { data: new Uint8Array(0), widthPx, heightPx, seen: { contentHash, decode: () => decodeImage(bytes) } };
    }
    const image = await decodeImage(bytes, { signal });
    this.#seen.set(key, { contentHash: imageContentHash(image), widthPx: image.widthPx, heightPx: image.heightPx });
    if (this.#seen.size > SEEN_MAX) this.#seen.delete(this.#seen.keys().next().value!);
    return image;
  }
}
