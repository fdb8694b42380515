/** What a chat is made of, as the engine sees it: pictures and sound already separated from text, ids already chosen. */

/** A picture: a path, an `http(s):`, `file:` or `data:` URL, or the bytes of an encoded file (PNG, JPEG, WebP, GIF, …). */
export type ImageSource = string | URL | Uint8Array;

/** Sound: a path, an `http(s):` or `file:` URL, the bytes of a file, or samples at 16 kHz (mono, full scale ±1). */
export type AudioSource = string | URL | Uint8Array | Float32Array;

export type ContentPart = { type: "text"; text: string } | { type: "image"; image: ImageSource } | { type: "audio"; audio: AudioSource };

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
}
