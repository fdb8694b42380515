import type { ErrorCode } from "../../core/errors.js";
import type { ServerLimits } from "../limits.js";

/** What a request may bring besides text, and how that is told from other things. */
export interface MediaKind {
  /** For messages. */
  noun: string;
  /** The beginning of a data URI, as an example. */
  example: string;
  /** Content types it comes as; the general one for bytes is taken for each. */
  types: RegExp;
  /** The error of what is none, or of what cannot be had. */
  code: ErrorCode;
}

export const IMAGE: MediaKind = { noun: "picture", example: "data:image/png;base64,…", types: /^image\//i, code: "invalid_image" };
export const AUDIO: MediaKind = { noun: "sound", example: "data:audio/wav;base64,…", types: /^(audio|video)\//i, code: "unsupported_input" };
export const VIDEO: MediaKind = { noun: "video", example: "data:video/mp4;base64,…", types: /^(video\/|image\/gif|application\/mp4)/i, code: "unsupported_input" };

/** Whether a content type is one that this kind comes as. Bytes of no type are for the decoder to judge. */
export function isOfKind(contentType: string, { types }: MediaKind): boolean {
  return types.test(contentType) || /^(application|binary)\/octet-stream/i.test(contentType);
}

/** Most bytes of one such thing. */
export function maxBytesOf(kind: MediaKind, limits: Pick<ServerLimits, "maxPictureBytes" | "maxMediaBytes">): number {
  return kind === IMAGE ? limits.maxPictureBytes : limits.maxMediaBytes;
}
