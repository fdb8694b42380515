import { createHash } from "node:crypto";
import { DeskhandError } from "../../core/errors.js";
import type { LinkedImage } from "../messages.js";
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
  async read(source: Uint8Array | LinkedImage, signal: AbortSignal | undefined): Promise<DecodedImage> {
    const link = source instanceof Uint8Array ? { sha256: createHash("sha256").update(source).digest("base64"), bytes: source } : source;
    const known = this.#seen.get(link.sha256);
    this.#seen.delete(link.sha256);
    if (known !== undefined) {
      this.#seen.set(link.sha256, known);
      const { contentHash, widthPx, heightPx } = known;
      return { data: new Uint8Array(0), widthPx, heightPx, seen: { contentHash, decode: async () => decodeImage(await bytesOf(link)) } };
    }
    const image = await decodeImage(await bytesOf(link), { signal });
    this.#seen.set(link.sha256, { contentHash: imageContentHash(image), widthPx: image.widthPx, heightPx: image.heightPx });
    if (this.#seen.size > SEEN_MAX) this.#seen.delete(this.#seen.keys().next().value!);
    link.onSeen?.();
    return image;
  }
}

/** The bytes of a linked picture. */
export async function bytesOf({ bytes, read }: LinkedImage): Promise<Uint8Array> {
  const found = bytes ?? (await read?.());
  if (found === undefined) throw new DeskhandError("internal", "Expected a picture's bytes, or a way to them, but there is neither.");
  return found;
}
