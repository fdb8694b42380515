/** What a chat is made of, as the engine sees it: pictures and sound already separated from text, ids already chosen. */

import type { DecodedImage } from "./image/decode.js";

/** A picture as a file holds it: a path, an `http(s):`, `file:` or `data:` URL, or the bytes of an encoded file (PNG, JPEG, WebP, GIF, …). */
export type EncodedImageSource = string | URL | Uint8Array;

/** A picture's file by what it holds. Its bytes came along, or are with whoever asks. */
export interface LinkedImage {
  /** Of the bytes, in base64. */
  sha256: string;
  bytes?: Uint8Array;
  /** Gets the bytes where they did not come along. */
  read?: () => Promise<Uint8Array>;
  /** Told once the picture is known without its bytes. */
  onSeen?: () => void;
}

/** A picture: as a file holds it, or its pixels. */
export type ImageSource = EncodedImageSource | LinkedImage | DecodedImage;

/** Sound: a path, an `http(s):` or `file:` URL, the bytes of a file, or samples at 16 kHz (mono, full scale ±1). */
export type AudioSource = string | URL | Uint8Array | Float32Array;

/** A video: a path, an `http(s):` or `file:` URL, the bytes of a file, or its frames; `fps` is how many of them a second has where they are not a choice already. */
export type VideoSource = string | URL | Uint8Array | { frames: readonly ImageSource[]; fps?: number };

export interface VideoPart {
  type: "video";
  video: VideoSource;
  /** Frames a second to look at. Default: as the model's family does, mostly 2. */
  fps?: number;
  /** Most frames to look at. Default: as the model's family does; 32 for families that see them as pictures. */
  maxFrames?: number;
}

export type ContentPart = { type: "text"; text: string } | { type: "image"; image: ImageSource } | { type: "audio"; audio: AudioSource } | VideoPart;

export interface ToolCall {
  id: string;
  name: string;
  /** JSON text of the arguments object, exactly as the model wrote it where that was valid JSON. */
  arguments: string;
}

export type ChatMessage =
  | { role: "system" | "user"; content: string | ContentPart[] }
  | { role: "assistant"; content: string | ContentPart[]; toolCalls?: ToolCall[] }
  | { role: "tool"; content: string | ContentPart[]; toolCallId: string; name?: string };

export interface ToolDefinition {
  name: string;
  description?: string;
  /** JSON Schema of the arguments object. */
  parameters?: Record<string, unknown>;
  /** Calls have arguments that are valid by the schema, always; without, they are only where the request makes the model call. `false`: never. */
  strict?: boolean;
}
