import { DeskhandError } from "../core/errors.js";
import { decodeAudio } from "./audio/decode.js";
import { decodeImage, type DecodedImage } from "./image/decode.js";
import { readImageSource } from "./image/source.js";
import type { AudioSource, ChatMessage, ImageSource } from "./messages.js";
import type { PromptMedia } from "./models/architecture.js";

/** Media as a caller names them, those of each kind in the order of their places. */
export interface MediaSources {
  images: readonly ImageSource[];
  audio: readonly AudioSource[];
}

/** The media of a conversation. */
export function mediaOf(messages: readonly ChatMessage[]): MediaSources {
  const parts = messages.flatMap(({ content }) => (typeof content === "string" ? [] : content));
  return {
    images: parts.flatMap((part) => (part.type === "image" ? [part.image] : [])),
    audio: parts.flatMap((part) => (part.type === "audio" ? [part.audio] : [])),
  };
}

/** What a model takes besides text, and what it is called. */
export interface MediaTaker {
  id: string;
  modelType: string;
  vision: boolean;
  audio: boolean;
}

/** @throws DeskhandError `unsupported_input` for a kind of media that the model does not take. */
export function requireTaken({ images, audio }: MediaSources, { id, modelType, vision, audio: hears }: MediaTaker): void {
  const refuse = (takes: string, received: string, instead: string): never => {
    throw new DeskhandError("unsupported_input", `The model ${id} (${modelType}) takes ${takes} only but received ${received}. Leave ${received.startsWith("a ") ? "it" : "them"} out, or use ${instead}.`);
  };
  if (images.length > 0 && !vision) refuse("text", images.length === 1 ? "a picture" : `${images.length} pictures`, 'a vision model such as "qwen"');
  if (audio.length > 0 && !hears) refuse(vision ? "text and pictures" : "text", audio.length === 1 ? "a sound" : `${audio.length} sounds`, "a model that hears, such as Qwen2.5-Omni");
}

/** Reads and decodes media, one after the other. @throws DeskhandError for what cannot be read; `cancelled`. */
export async function readMedia({ images, audio }: MediaSources, { signal }: { signal?: AbortSignal } = {}): Promise<PromptMedia> {
  const pictures: DecodedImage[] = [];
  for (const source of images) pictures.push(await decodeImage(await readImageSource(source, { signal }), { signal }));
  const sounds: Float32Array[] = [];
  for (const source of audio) sounds.push(await decodeAudio(source, { signal }));
  return { images: pictures, audio: sounds };
}
