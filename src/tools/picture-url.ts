import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { DeskhandError, messageOf } from "../core/errors.js";

const TYPES: Record<string, string> = { ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp", ".gif": "gif", ".tif": "tiff", ".tiff": "tiff", ".avif": "avif", ".heic": "heic" };

/**
 * What `image_url` takes for a picture: an `http(s):` or `data:` address as it stands, which the server fetches; a file as a data URI, since the
 * server may stand elsewhere. Servers look at the bytes, so the type is only a hint.
 * @throws DeskhandError `invalid_argument` when the file cannot be read.
 */
export async function pictureUrl(source: string): Promise<string> {
  if (/^(https?|data):/i.test(source)) return source;
  try {
    return `data:image/${TYPES[extname(source).toLowerCase()] ?? "png"};base64,${await readFile(source, "base64")}`;
  } catch (cause) {
    throw new DeskhandError("invalid_argument", `Expected the address or the file of a picture but ${JSON.stringify(source)} cannot be read: ${messageOf(cause)}.`, { cause, param: "--image" });
  }
}
