import { readFile, stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { DeskhandError, messageOf, throwIfAborted } from "../../core/errors.js";
import type { EncodedImageSource } from "../messages.js";
import { downloadImage } from "./download.js";

export interface ReadImageOptions {
  signal?: AbortSignal;
  /** For downloads. */
  timeoutMs?: number;
  /** Largest encoded file. */
  maxBytes?: number;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;

/**
 * The encoded bytes of a picture given as a path, an `http(s):`, `file:` or `data:` URL, or bytes. The caller is trusted: any file and any
 * network address this process can reach is read.
 *
 * @throws DeskhandError `invalid_image`, `image_too_large` (in bytes), `timeout`, `cancelled`.
 */
export async function readImageSource(source: EncodedImageSource, options: ReadImageOptions = {}): Promise<Uint8Array> {
  const { signal, timeoutMs = DEFAULT_TIMEOUT_MS, maxBytes = DEFAULT_MAX_BYTES } = options;
  throwIfAborted(signal);
  if (typeof source !== "string" && !(source instanceof URL)) return checkSize(source, maxBytes);
  const text = String(source);
  const scheme = /^(https?|file|data):/i.exec(text)?.[1]?.toLowerCase();
  if (scheme === "data") return checkSize(decodeDataUrl(text, maxBytes), maxBytes);
  if (scheme === "http" || scheme === "https") return downloadImage(parseUrl(text), { signal, timeoutMs, maxBytes });
  return readLocalFile(scheme === "file" ? fileURLToPath(parseUrl(text)) : text, maxBytes, signal);
}

async function readLocalFile(path: string, maxBytes: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
  try {
    const info = await stat(path);
    if (!info.isFile()) throw new DeskhandError("invalid_image", `Expected a picture file but ${quote(path)} is not a regular file. Give the path of a PNG, JPEG, WebP or GIF file.`);
    if (info.size > maxBytes) throw tooLarge(info.size, maxBytes);
    return await readFile(path, { signal });
  } catch (cause) {
    throwIfAborted(signal);
    if (cause instanceof DeskhandError) throw cause;
    throw new DeskhandError("invalid_image", `Expected a path, an http(s):, file: or data: URL of a picture but ${quote(path)} cannot be read: ${reason(cause)}.`, { cause });
  }
}

/** RFC 2397, base64 or percent-encoded. */
function decodeDataUrl(text: string, maxBytes: number): Uint8Array {
  const comma = text.indexOf(",");
  if (comma === -1) throw new DeskhandError("invalid_image", `Expected a data: URL such as data:image/png;base64,iVBOR… but received one without a comma: ${quote(text)}.`);
  if (!/;\s*base64\s*$/i.test(text.slice(0, comma))) {
    return Buffer.from(text.slice(comma + 1).replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))), "latin1");
  }
  const length = Math.floor(((text.length - comma - 1) * 3) / 4);
  // Checked before decoding with room for padding and line breaks, exactly by the caller afterwards.
  if (length > maxBytes * 1.1 + 1024) throw tooLarge(length, maxBytes);
  return Buffer.from(text.slice(comma + 1), "base64");
}

function parseUrl(text: string): URL {
  try {
    return new URL(text);
  } catch (cause) {
    throw new DeskhandError("invalid_image", `Expected the URL of a picture but received ${quote(text)}, which is not a valid URL.`, { cause });
  }
}

function checkSize(bytes: Uint8Array, maxBytes: number): Uint8Array {
  if (bytes.byteLength > maxBytes) throw tooLarge(bytes.byteLength, maxBytes);
  return bytes;
}

function tooLarge(bytes: number, maxBytes: number): DeskhandError {
  return new DeskhandError("image_too_large", `Expected a picture file of at most ${maxBytes} bytes but received ${bytes}. Scale it down or compress it.`);
}

function reason(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT") return "there is no such file";
  if (code === "ENAMETOOLONG") return "it is too long for a path (for base64 data, put data:image/png;base64, in front)";
  return messageOf(error);
}

/** A source as a message may show it: short, because it can be a whole picture in base64. */
function quote(text: string): string {
  return text.length > 120 ? `"${text.slice(0, 100)}…" (${text.length} characters)` : `"${text}"`;
}
