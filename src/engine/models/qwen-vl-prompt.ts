import { DeskhandError } from "../../core/errors.js";
import { imageContentHash, type DecodedImage } from "../image/decode.js";
import { QwenVLImageProcessor, type ProcessedImage } from "../image/qwen-vl-processor.js";
import type { PlacedGrid } from "../nn/mrope.js";
import { QwenVLVideoProcessor } from "../video/qwen-vl-video-processor.js";
import { tenths } from "../video/qwen-vl-video-rules.js";
import type { SampledVideo } from "../video/read.js";
import type { VideoSampler } from "../video/sampling.js";
import type { MediaItem, MediaSpan, Processor, ProcessorInput, Prompt } from "./architecture.js";

/** A picture cut into patches. */
export interface QwenImage extends MediaItem, ProcessedImage {}

/** A video cut into patches of several frames. */
export interface QwenVideo extends MediaItem, ProcessedImage {
  secondsPerGrid: number;
  /** Where the places of each temporal patch begin, counted from the first row of the video's; absent where they lie in one run. */
  offsets?: readonly number[];
}

interface VideoSide {
  processor: QwenVLVideoProcessor;
  tokenId: number;
  /** Whether each temporal patch is told its time and has marks of its own, as in Qwen3-VL. */
  timestamps: boolean;
}

/** Qwen-VL's prompt: each picture's or video's mark becomes as many tokens as it has merged patches. */
export class QwenVLProcessor implements Processor {
  readonly takesSeenImages = true;
  readonly video: VideoSampler;
  readonly #images: QwenVLImageProcessor;
  readonly #imageTokenId: number;
  readonly #videos: VideoSide;

  constructor(images: QwenVLImageProcessor, imageTokenId: number, videos: VideoSide) {
    this.#images = images;
    this.#imageTokenId = imageTokenId;
    this.#videos = videos;
    this.video = videos.processor;
  }

  /** Of Qwen2-VL and Qwen2.5-VL (`qwen2`), or of Qwen3-VL and Qwen3.5 (`qwen3`). */
  static async load(dir: string, tokens: { image_token_id: number; video_token_id: number }, generation: "qwen2" | "qwen3"): Promise<QwenVLProcessor> {
    const processor = await QwenVLVideoProcessor.load(dir, generation);
    return new QwenVLProcessor(await QwenVLImageProcessor.load(dir), tokens.image_token_id, { processor, tokenId: tokens.video_token_id, timestamps: generation === "qwen3" });
  }

  prepare({ text, images, videos = [], encode }: ProcessorInput): Prompt {
    return layOutMedia(encode(text), [
      { kind: "picture", tokenId: this.#imageTokenId, media: images.map((image) => this.#picture(image)) },
      { kind: "video", tokenId: this.#videos.tokenId, media: videos.map((video) => placedVideo(video, this.#videos, encode)) },
    ]);
  }

  #picture(image: DecodedImage): PlacedMedia {
    const { seen } = image;
    if (seen !== undefined) {
      const whole = async (): Promise<MediaItem> => ({ kind: "image", ...this.#images.process(await seen.decode()) });
      const { numbers, ...outline } = this.#images.outline(image);
      const item: QwenImage = { kind: "image", pixelValues: new Float32Array(0), ...outline };
      return { item, whole, numbers, tokens: outline.mergedTokens, key: `${seen.contentHash} ${this.#images.settingsKey}` };
    }
    const processed = this.#images.process(image);
    return { item: { kind: "image", ...processed }, tokens: processed.mergedTokens, key: `${imageContentHash(image)} ${this.#images.settingsKey}` };
  }
}

/** Reference: `replace_video_token`, transformers 5.23, models/qwen3_vl/processing_qwen3_vl.py. */
function placedVideo(video: SampledVideo, { processor, tokenId, timestamps }: VideoSide, encode: (text: string) => number[]): PlacedMedia {
  const { timesS, ...processed } = processor.process(video);
  const key = `${video.key} ${processor.settingsKey}`;
  const item: QwenVideo = { kind: "video", ...processed };
  if (!timestamps) return { item, tokens: processed.mergedTokens, key };
  const rows = new Array<number>(processed.mergedTokens / timesS.length).fill(tokenId);
  const end = encode("<|vision_end|>");
  const tokens: number[] = [];
  const offsets: number[] = [];
  for (const time of timesS) {
    tokens.push(...encode(`<${tenths(time)} seconds><|vision_start|>`));
    offsets.push(tokens.length);
    tokens.push(...rows, ...end);
  }
  return { item: { ...item, offsets } as QwenVideo, tokens, key };
}

/** Where grids of vision rows lie in a prompt, those of a video's temporal patches one by one where they are apart. */
export function gridsOf(media: readonly MediaSpan[], tokensPerSecond?: number): PlacedGrid[] {
  return media.flatMap(({ start, item }): PlacedGrid[] => {
    const { gridThw, offsets, secondsPerGrid } = item as QwenImage & Partial<QwenVideo>;
    if (offsets !== undefined) return offsets.map((offset) => ({ start: start + offset, gridThw: [1, gridThw[1], gridThw[2]] as const }));
    const interval = tokensPerSecond === undefined || secondsPerGrid === undefined ? undefined : Math.fround(tokensPerSecond * Math.fround(secondsPerGrid));
    return [{ start, gridThw, interval }];
  });
}

/** Something of a prompt that has places, and what these hold: so many of the kind's token, or these tokens. */
export interface PlacedMedia {
  item: MediaItem;
  whole?: () => Promise<MediaItem>;
  numbers?: number;
  tokens: number | readonly number[];
  key: string;
}

/** The places of one kind of media: the token that marks them, and in their order how many of it each takes. */
export interface MediaPlaces {
  kind: "picture" | "video" | "sound";
  tokenId: number;
  media: readonly PlacedMedia[];
}

/** `layOutMedia` for pictures alone. */
export function layOutImages(tokenIds: readonly number[], images: readonly { item: MediaItem & { mergedTokens: number }; key: string }[], imageTokenId: number): Prompt {
  return layOutMedia(tokenIds, [{ kind: "picture", tokenId: imageTokenId, media: images.map(({ item, key }) => ({ item, key, tokens: item.mergedTokens })) }]);
}

/**
 * Gives media their places: the k-th run of a kind's token becomes as many as its k-th item takes. A run that already has that
 * length is left as it is (a raw prompt may spell all places out).
 * @throws DeskhandError `invalid_argument` when places and media do not match.
 */
export function layOutMedia(tokenIds: readonly number[], kinds: readonly MediaPlaces[]): Prompt {
  const laidOut: number[] = [];
  const media: MediaSpan[] = [];
  const places = new Map(kinds.map(({ tokenId }) => [tokenId, 0]));
  for (let i = 0; i < tokenIds.length; ) {
    const id = tokenIds[i] as number;
    const place = places.get(id);
    if (place === undefined) {
      laidOut.push(id);
      i++;
      continue;
    }
    places.set(id, place + 1);
    const one = kinds.find(({ tokenId }) => tokenId === id)?.media[place];
    if (one === undefined) {
      i++;
      continue;
    }
    const { tokens, ...rest } = one;
    const run = runLength(tokenIds, i);
    // A run of another length is that many items side by side.
    i += run === tokens ? run : 1;
    const start = laidOut.length;
    if (typeof tokens === "number") for (let k = 0; k < tokens; k++) laidOut.push(id);
    else for (const token of tokens) laidOut.push(token);
    media.push({ start, end: laidOut.length, ...rest });
  }
  for (const { kind, tokenId, media: expected } of kinds) {
    const found = places.get(tokenId);
    if (found === expected.length) continue;
    throw new DeskhandError("invalid_argument", `Expected the prompt to have a place for each of its ${expected.length} ${kind}s but it has ${found}. Remove ${kind} marks from the text, or let the chat template write them.`);
  }
  return { tokenIds: laidOut, media };
}

function runLength(tokenIds: readonly number[], start: number): number {
  let end = start;
  while (tokenIds[end] === tokenIds[start]) end++;
  return end - start;
}
