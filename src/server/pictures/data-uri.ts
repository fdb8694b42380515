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
  const payload = uri.slice(header.length);
  // Line breaks come from encoders that wrap, as in e-mail. Looking for them takes longer than decoding, and most payloads have none.
  return decodeBase64(payload, maxBytes) ?? decodeWrapped(payload.replace(/\s+/g, ""), maxBytes, kind);
}

function decodeWrapped(payload: string, maxBytes: number, kind: MediaKind): Uint8Array {
  const expectedBytes = decodedLength(payload);
  if (expectedBytes > maxBytes) {
    throw new DeskhandError("image_too_large", `expected at most ${maxBytes} bytes a ${kind.noun} but received ${expectedBytes}. Send it smaller or compressed.`);
  }
  const bytes = decodeBase64(payload, maxBytes);
  if (bytes === undefined) throw new DeskhandError(kind.code, "expected base64 after the comma of the data URI but received something else.");
  return bytes;
}

/** `undefined` for what is not base64 from end to end, and for more than `maxBytes`. */
function decodeBase64(payload: string, maxBytes: number): Uint8Array | undefined {
  const expectedBytes = decodedLength(payload);
  if (expectedBytes === 0 || expectedBytes > maxBytes) return undefined;
  const bytes = Buffer.from(payload, "base64");
  // Node skips what is not base64, so a shorter result is the sign of it.
  return bytes.length === expectedBytes ? bytes : undefined;
}

function decodedLength(payload: string): number {
  const padding = payload.endsWith("==") ? 2 : payload.endsWith("=") ? 1 : 0;
  return Math.floor(((payload.length - padding) * 3) / 4);
}
