import type { KVCache } from "../cache/kv-cache.js";
import type { DecodedImage } from "../image/decode.js";
import type { ProcessedImage } from "../image/qwen-vl-processor.js";
import type { Tensor } from "../mlx/index.js";
import type { Rotary } from "../nn/rotary.js";

export type { ProcessedImage };

/** Turns decoded pictures into what the vision tower takes. */
export interface ImageProcessor {
  /** Names every setting that changes the result, for cache keys. */
  readonly settingsKey: string;
  process(image: DecodedImage): ProcessedImage;
}

/** Where a picture lies in a prompt: token rows [start, start + mergedTokens). */
export interface ImageSpan {
  start: number;
  image: ProcessedImage;
}

/** Position of every row of a prompt, and of the first row after it. */
export interface PromptPositions {
  /** Rotary angles' positions for rows [start, end), on the device. */
  rotary(start: number, end: number): Rotary;
  next: number;
}

/** What the vision tower says about one picture. */
export interface ImageFeatures {
  /** `[mergedTokens, D]`, in place of the token embeddings. */
  embeddings: Tensor;
  /** For the first decoder layers, one each: `[mergedTokens, D]`, added to the hidden states after the layer. */
  deepstack: Tensor[];
}

export interface DecoderInput {
  /** `[B, L, D]` */
  embeddings: Tensor;
  rotary: Rotary;
  /** `[B, L, D]` each; zero where there is no picture. */
  deepstack?: Tensor[];
}

/** An architecture with its weights. Forward passes are synchronous and build the graph only. */
export interface Architecture extends Disposable {
  readonly modelType: string;
  readonly vocabSize: number;
  readonly contextLength: number;
  /** The token that stands for one place of a picture; absent in text-only models. */
  readonly imageTokenId?: number;
  createCache(): KVCache[];
  /** ids `[B, L]` → `[B, L, D]` */
  embed(ids: Tensor): Tensor;
  encodeImage?(image: ProcessedImage): ImageFeatures;
  positions(length: number, images: readonly ImageSpan[]): PromptPositions;
  /** One pass over new rows; with a cache, after the rows it holds. Returns hidden states `[B, L, D]`. */
  decode(input: DecoderInput, cache?: KVCache[]): Tensor;
  /** Hidden states `[..., D]` → logits `[..., vocab]`. */
  logits(hidden: Tensor): Tensor;
}
