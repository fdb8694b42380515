import { DeskhandError } from "../core/errors.js";
import { decodeAudio } from "./audio/decode.js";
import { SAMPLE_RATE } from "./audio/log-mel.js";
import { decodeImage, type DecodedImage } from "./image/decode.js";
import { bytesOf, type SeenImages } from "./image/seen-images.js";
import { readImageSource } from "./image/source.js";
import type { AudioSource, ChatMessage, ImageSource } from "./messages.js";
import type { PromptMedia } from "./models/architecture.js";
import { videosAsPictures } from "./video/as-pictures.js";
import { readVideo, type SampledVideo, type VideoRequest } from "./video/read.js";
import { PICTURE_SAMPLER, type VideoSampler } from "./video/sampling.js";

/** Media as a caller names them, those of each kind in the order of their places. */
export interface MediaSources {
  images: readonly ImageSource[];
  videos: readonly VideoRequest[];
  audio: readonly AudioSource[];
}

/** The media of a conversation. */
export function mediaOf(messages: readonly ChatMessage[]): MediaSources {
  const parts = messages.flatMap(({ content }) => (typeof content === "string" ? [] : content));
  return {
    images: parts.flatMap((part) => (part.type === "image" ? [part.image] : [])),
    videos: parts.flatMap((part) => (part.type === "video" ? [{ video: part.video, fps: part.fps, maxFrames: part.maxFrames }] : [])),
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
export function requireTaken({ images, videos, audio }: MediaSources, { id, modelType, vision, audio: hears }: MediaTaker): void {
  const refuse = (takes: string, received: string, instead: string): never => {
    throw new DeskhandError("unsupported_input", `The model ${id} (${modelType}) takes ${takes} only but received ${received}. Leave ${received.startsWith("a ") ? "it" : "them"} out, or use ${instead}.`);
  };
  if (images.length > 0 && !vision) refuse("text", images.length === 1 ? "a picture" : `${images.length} pictures`, 'a vision model such as "qwen"');
  if (videos.length > 0 && !vision) refuse("text", videos.length === 1 ? "a video" : `${videos.length} videos`, 'a vision model such as "qwen"');
  if (audio.length > 0 && !hears) refuse(vision ? "text and pictures" : "text", audio.length === 1 ? "a sound" : `${audio.length} sounds`, "a model that hears, such as Qwen2.5-Omni");
}

export interface ReadMediaOptions {
  signal?: AbortSignal;
  /** How the model's family looks at videos; families without one see them as pictures. */
  video?: VideoSampler;
  /** Tokens the model holds. */
  contextLength?: number;
  /** Has pictures that were seen before come without their pixels. */
  seenImages?: SeenImages;
  /** All sounds together. Default: no limit. */
  maxSoundSeconds?: number;
}

/** All pictures of one request, decoded: 64 screenshots of 2560 × 1440 are fewer. A few kilobytes can say that they are far more. */
const MAX_PIXELS = 256e6;

/** Messages whose videos are the pictures they consist of, for families or templates that know no videos. @throws DeskhandError as `readMedia`. */
export async function withVideosAsPictures(messages: readonly ChatMessage[], { signal }: { signal?: AbortSignal } = {}): Promise<ChatMessage[]> {
  return videosAsPictures(messages, async (part) => (await readVideo(part, PICTURE_SAMPLER, { signal, readImage: (source) => readImage(source, signal) })).frames);
}

/** Reads and decodes media, one after the other. @throws DeskhandError for what cannot be read; `cancelled`. */
export async function readMedia({ images, videos, audio }: MediaSources, { signal, video: sampler = PICTURE_SAMPLER, contextLength, seenImages, maxSoundSeconds = Infinity }: ReadMediaOptions = {}): Promise<PromptMedia> {
  const pictures: DecodedImage[] = [];
  let pixels = 0;
  for (const source of images) {
    const picture = await readImage(source, signal, seenImages);
    pixels += picture.widthPx * picture.heightPx;
    if (pixels > MAX_PIXELS) throw new DeskhandError("image_too_large", `Expected pictures of at most ${MAX_PIXELS / 1e6} megapixels together but received more. Scale them down before sending them; the model sees far fewer pixels anyway.`);
    pictures.push(picture);
  }
  const films: SampledVideo[] = [];
  for (const request of videos) films.push(await readVideo(request, sampler, { signal, contextLength, readImage: (source) => readImage(source, signal) }));
  const sounds: Float32Array[] = [];
  let seconds = 0;
  for (const source of audio) {
    const sound = await decodeAudio(source, { signal, maxDurationS: maxSoundSeconds });
    seconds += sound.length / SAMPLE_RATE;
    if (seconds > maxSoundSeconds) throw new DeskhandError("unsupported_input", `Expected sounds of at most ${maxSoundSeconds} s together but received more. Send fewer, or cut them.`);
    sounds.push(sound);
  }
  return { images: pictures, videos: films, audio: sounds };
}

async function readImage(source: ImageSource, signal: AbortSignal | undefined, seenImages?: SeenImages): Promise<DecodedImage> {
  if (typeof source === "string" || source instanceof URL || source instanceof Uint8Array) {
    const bytes = await readImageSource(source, { signal });
    return seenImages?.read(bytes, signal) ?? decodeImage(bytes, { signal });
  }
  if ("sha256" in source) return seenImages?.read(source, signal) ?? decodeImage(await bytesOf(source), { signal });
  const { data, widthPx, heightPx } = source;
  if (data.length === widthPx * heightPx * 3 && data.length > 0) return source;
  throw new DeskhandError("invalid_image", `Expected ${widthPx} × ${heightPx} pixels of red, green and blue, ${widthPx * heightPx * 3} bytes, but received ${data.length}. Leave transparency out.`);
}
