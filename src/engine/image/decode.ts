import { createHash } from "node:crypto";
import sharp, { type Metadata, type OutputInfo } from "sharp";
import { DeskhandError, messageOf, throwIfAborted } from "../../core/errors.js";

/** A picture as pixels: RGB, eight bits a channel, row-major `[heightPx, widthPx, 3]`. */
export interface DecodedImage {
  data: Uint8Array;
  widthPx: number;
  heightPx: number;
  /** Of a picture seen before, whose pixels are left out: `data` is empty. */
  seen?: SeenImage;
}

/** What is remembered of a picture. */
export interface SeenImage {
  contentHash: string;
  /** The picture with its pixels. */
  decode: () => Promise<DecodedImage>;
}

export interface DecodeImageOptions {
  signal?: AbortSignal;
  /** Pictures with more pixels are refused before they are decoded. */
  maxPixels?: number;
}

const DEFAULT_MAX_PIXELS = 64_000_000;

/** Raster formats only: SVG and PDF would render untrusted documents, and raw formats carry no size. */
const FORMATS = new Set(["jpeg", "png", "webp", "gif", "tiff", "heif", "jxl", "jp2"]);

/**
 * Decodes an encoded picture to RGB the way the reference processors do: EXIF orientation applied, transparency laid over white, grey and
 * palette pictures expanded, 16-bit samples reduced to 8, the first frame of an animation. Colour profiles are ignored, as they were when the
 * models were trained, except for CMYK, which has no meaning without one.
 *
 * @throws DeskhandError `invalid_image` when the bytes are not a picture, `image_too_large` when it has more than `maxPixels` pixels.
 */
export async function decodeImage(bytes: Uint8Array, { signal, maxPixels = DEFAULT_MAX_PIXELS }: DecodeImageOptions = {}): Promise<DecodedImage> {
  throwIfAborted(signal);
  const metadata = await readMetadata(bytes);
  const { width, height } = metadata;
  if (width * height > maxPixels) {
    throw new DeskhandError(
      "image_too_large",
      `Expected a picture of at most ${megapixels(maxPixels)} but received ${width}×${height} pixels (${megapixels(width * height)}). ` +
        "Scale it down before sending it; the model sees far fewer pixels anyway.",
    );
  }
  let decoded: { data: Buffer; info: OutputInfo };
  try {
    decoded = await sharp(bytes, { limitInputPixels: maxPixels, failOn: "error", ignoreIcc: metadata.space !== "cmyk" })
      .autoOrient()
      .flatten({ background: "#ffffff" })
      .toColourspace("srgb")
      .raw({ depth: "uchar" })
      .toBuffer({ resolveWithObject: true });
  } catch (cause) {
    throw new DeskhandError("invalid_image", `Expected a complete ${metadata.format} picture but decoding failed: ${messageOf(cause)}. Check that the file is not cut short or damaged.`, { cause });
  }
  throwIfAborted(signal);
  const { data, info } = decoded;
  if (info.channels !== 3) throw new DeskhandError("internal", `Expected 3 channels after decoding a ${metadata.format} picture but received ${info.channels}.`);
  return { data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength), widthPx: info.width, heightPx: info.height };
}

async function readMetadata(bytes: Uint8Array): Promise<Metadata> {
  let metadata: Metadata;
  try {
    metadata = await sharp(bytes, { limitInputPixels: false }).metadata();
  } catch (cause) {
    throw notAPicture(`${bytes.byteLength} bytes that ${describe(bytes)}`, cause);
  }
  if (!FORMATS.has(metadata.format)) throw notAPicture(`a ${metadata.format} document`);
  return metadata;
}

function notAPicture(received: string, cause?: unknown): DeskhandError {
  return new DeskhandError("invalid_image", `Expected a PNG, JPEG, WebP, GIF, TIFF or AVIF picture but received ${received}.`, { cause });
}

/** What the bytes look like instead, for the message: an HTML error page is the usual surprise. */
function describe(bytes: Uint8Array): string {
  if (bytes.byteLength === 0) return "are empty";
  const head = Buffer.from(bytes.subarray(0, 64)).toString("latin1").trimStart().toLowerCase();
  if (head.startsWith("<!doctype html") || head.startsWith("<html")) return "are an HTML page";
  return `begin with ${Buffer.from(bytes.subarray(0, 8)).toString("hex")}`;
}

function megapixels(pixels: number): string {
  return `${Number((pixels / 1e6).toFixed(1))} megapixels`;
}

/** A key for caches: equal exactly when size and pixels are equal, whatever file they came from. Hex SHA-256. */
export function imageContentHash({ data, widthPx, heightPx, seen }: DecodedImage): string {
  if (seen !== undefined) return seen.contentHash;
  return createHash("sha256").update(`${widthPx}x${heightPx}\n`).update(data).digest("hex");
}
