import type { Memory } from "../cache/batch-cache.js";
import type { LayerCache } from "../cache/layer-cache.js";
import type { DecodedImage } from "../image/decode.js";
import type { Tensor } from "../mlx/index.js";
import type { EncoderShape } from "../nn/encoder-shape.js";
import type { Rotary } from "../nn/rotary.js";
import type { SampledVideo } from "../video/read.js";
import type { VideoSampler } from "../video/sampling.js";

/** A picture, a video or a sound after its family's processor: what `encode` of the same family takes. */
export interface MediaItem {
  readonly kind: "image" | "video" | "audio";
}

/** Where a picture, a video or a sound lies in a prompt. Of the rows [start, end), those that hold a media token stand for the item's features, in order. */
export interface MediaSpan {
  start: number;
  end: number;
  item: MediaItem;
  /** The item with what `encode` needs, where it was left out because the caches are likely to have what comes of it. */
  whole?: () => Promise<MediaItem>;
  /** How many numbers it has then. */
  numbers?: number;
  /** Same key, same content and same processor settings. */
  key: string;
}

/** A tokenised prompt with room made for its media. */
export interface Prompt {
  tokenIds: readonly number[];
  /** In the order of their places. */
  media: readonly MediaSpan[];
}

/** The media of a prompt, those of each kind in the order of their places. */
export interface PromptMedia {
  images: readonly DecodedImage[];
  /** Only for processors that take them. */
  videos?: readonly SampledVideo[];
  /** Mono samples at 16 kHz; only for processors that take them. */
  audio?: readonly Float32Array[];
}

export interface ProcessorInput extends PromptMedia {
  text: string;
  encode: (text: string) => number[];
}

/** Tokenises a rendered prompt and gives its media their places. */
export interface Processor {
  /** What stands for the nth picture of a conversation, from 1 on, where a template takes text only and callers write such marks. */
  readonly pictureMark?: (number: number) => string;
  /** Whether a rendered conversation is tokenised with the tokenizer's own special tokens, because the family's templates leave the first out. */
  readonly addsSpecialTokens?: boolean;
  /** Whether it takes pictures seen before without their pixels. */
  readonly takesSeenImages?: boolean;
  /** Whether the family takes sound as well as pictures. */
  readonly takesAudio?: boolean;
  /** How the family looks at videos. Absent: a video becomes several pictures. */
  readonly video?: VideoSampler;
  /** @throws DeskhandError `invalid_argument` when the places in the text and the media do not match. */
  prepare(input: ProcessorInput): Prompt;
}

/** What the decoder is told about rows of a prompt, besides their embeddings. */
export interface RowPlan {
  rotary: Rotary;
  /** Rows with the same number from 0 on see each other in both directions; -1 sees what came before. Absent: all are -1. */
  groups?: Int32Array<ArrayBuffer>;
}

export interface PromptPlan {
  rows(start: number, end: number): RowPlan;
  /** The first row at or after `row` that may begin a forward pass of its own; absent where any may. */
  border?(row: number): number;
  /** Position of the first row after the prompt. */
  next: number;
}

/** What an encoder makes of one item. */
export interface MediaFeatures {
  /** `[rows, D]`, in place of the token embeddings. */
  embeddings: Tensor;
  /** For the first decoder layers, one each: `[rows, D]`, added to the hidden states after the layer. */
  deepstack?: Tensor[];
}

export interface DecoderInput extends RowPlan {
  /** `[B, L, D]` */
  embeddings: Tensor;
  /** `[B, L, D]` each; zero where there are no features. */
  deepstack?: Tensor[];
}

/** An architecture with its weights. Forward passes are synchronous and build the graph only. */
export interface Architecture extends Disposable {
  readonly modelType: string;
  readonly vocabSize: number;
  readonly contextLength: number;
  /** Rows of a sequence no longer than this have to be computed anew once it is longer: positions turn otherwise from there on (longrope). */
  readonly lengthBorder?: number;
  /** Tokens that stand for one row of media features each; empty in text-only models. */
  readonly mediaTokenIds: readonly number[];
  /** What one sequence is remembered with, layer by layer. */
  createCache(): LayerCache[];
  /** ids `[B, L]` → `[B, L, D]` */
  embed(ids: Tensor): Tensor;
  encode?(item: MediaItem): MediaFeatures;
  /** What `encode` runs pictures and videos through. */
  readonly encoder?: EncoderShape;
  plan(prompt: Prompt): PromptPlan;
  /**
   * One pass over new rows; with caches, after the rows they hold: several rows of one sequence (B = 1), or one row of each sequence of a
   * batch (L = 1). Returns hidden states `[B, L, D]`.
   */
  decode(input: DecoderInput, caches?: Memory<LayerCache>[]): Tensor;
  /** Hidden states `[..., D]` → logits `[..., vocab]`. */
  logits(hidden: Tensor): Tensor;
}
