import { DeskhandError } from "../../core/errors.js";
import { isOfKind, type MediaKind } from "./kinds.js";

/** `data:image/png;base64,…`; parameters before `;base64` are allowed, the type may be left out. */
const HEADER = /^data:([\w.+-]+\/[\w.+-]+)?(?:;[\w-]+=[^;,]{0,64})*;base64,/i;
/** Longer than any header that is meant seriously, so that the search never walks through the payload. */
const HEADER_MAX_CHARS = 256;

/** The bytes of a base64 data URI. Throws the kind's error, or `image_too_large` beyond `maxBytes`. */
export function decodeDataUri(uri: string, maxBytes: number, kind: MediaKind): Uint8Array {
  const [header, type] = HEADER.exec(uri.slice(0, HEADER_MAX_CHARS)) ?? [];
  if (header === undefined || (type !== undefined && !isOfKind(type, kind))) {
    throw new DeskhandError(kind.code, `expected a ${kind.noun} as "${kind.example}" but received a data URI of another form.`);
  }
  // Line breaks come from encoders that wrap, as in e-mail.
  const payload = uri.slice(header.length).replace(/\s+/g, "");
  const digits = payload.replace(/={1,2}$/, "").length;
  const expectedBytes = Math.floor((digits * 3) / 4);
  if (expectedBytes > maxBytes) {
    throw new DeskhandError("image_too_large", `expected at most ${maxBytes} bytes a ${kind.noun} but received ${expectedBytes}. Send it smaller or compressed.`);
  }
  const bytes = Buffer.from(payload, "base64");
  // Node skips what is not base64, so a shorter result is the sign of it.
  if (digits === 0 || bytes.length !== expectedBytes) {
    throw new DeskhandError(kind.code, "expected base64 after the comma of the data URI but received something else.");
  }
  return bytes;
}
