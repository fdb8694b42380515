import type { Memory } from "../../cache/batch-cache.js";
import type { AttentionCache } from "../../cache/layer-cache.js";
import type { ProcessedImage } from "../../image/qwen-vl-processor.js";
import type { Tensor } from "../../mlx/index.js";
import type { EncoderShape } from "../../nn/encoder-shape.js";
import { disposeModules } from "../../nn/module.js";
import { blockAxes, multiAxisRotary, positionIds } from "../../nn/mrope.js";
import type { QuantizationConfig } from "../../nn/quantization.js";
import type { LayoutAliases, Weights } from "../../nn/weights.js";
import type { Architecture, DecoderInput, MediaFeatures, MediaItem, Prompt, PromptPlan } from "../architecture.js";
import { Qwen2TextModel } from "../qwen2/text.js";
import { gridsOf, type QwenImage } from "../qwen-vl-prompt.js";
import type { Qwen2VLTextConfig } from "./config.js";

/** The names of mlx-vlm, then those of published folders; transformers 5 nests both halves under `model`. */
export const QWEN2_VL_ALIASES: LayoutAliases = [
  ["language_model.model.", "model.language_model."],
  ["language_model.lm_head.", "lm_head."],
  ["vision_tower.", "model.visual."],
  ["visual.", "model.visual."],
  ["model.embed_tokens.", "model.language_model.embed_tokens."],
  ["model.layers.", "model.language_model.layers."],
  ["model.norm.", "model.language_model.norm."],
];

/** Where both generations look for their vision tower. */
export const VISION_PATH = "model.visual";

/** A vision tower of this family. */
export interface QwenVisionTower extends Disposable {
  /** `[mergedTokens, D]`, D the width of the decoder. */
  forward(image: ProcessedImage): Tensor;
}

export interface Qwen2VLModelConfig {
  model_type: string;
  text_config: Qwen2VLTextConfig;
  vision_config: { spatial_merge_size: number; tokens_per_second?: number };
  vision_encoder: EncoderShape;
  image_token_id: number;
  video_token_id: number;
  tie_word_embeddings: boolean;
  quantization?: QuantizationConfig;
}

/** Qwen2-VL and Qwen2.5-VL: a vision tower, and Qwen2's decoder with positions on three axes. */
export class Qwen2VLModel implements Architecture {
  readonly modelType: string;
  readonly vocabSize: number;
  readonly contextLength: number;
  readonly mediaTokenIds: readonly number[];
  readonly encoder: EncoderShape;
  readonly #mergeSize: number;
  /** Of Qwen2.5-VL, whose positions follow a video's time. */
  readonly #tokensPerSecond: number | undefined;
  readonly #axes: Int32Array;
  readonly #vision: QwenVisionTower;
  readonly #text: Qwen2TextModel;

  /** @param vision owned by the model. */
  constructor(weights: Weights, config: Qwen2VLModelConfig, vision: QwenVisionTower) {
    const { text_config: text, tie_word_embeddings: tiedHead, quantization } = config;
    this.modelType = config.model_type;
    this.vocabSize = text.vocab_size;
    this.contextLength = text.max_position_embeddings;
    this.encoder = config.vision_encoder;
    this.mediaTokenIds = [config.image_token_id, config.video_token_id];
    this.#mergeSize = config.vision_config.spatial_merge_size;
    this.#tokensPerSecond = config.vision_config.tokens_per_second;
    this.#axes = blockAxes(text.mrope_section);
    this.#vision = vision;
    this.#text = new Qwen2TextModel(weights, text, { path: "model.language_model", tiedHead, quantization });
  }

  createCache(): AttentionCache[] {
    return this.#text.createCache();
  }

  embed(ids: Tensor): Tensor {
    return this.#text.embed(ids);
  }

  encode(item: MediaItem): MediaFeatures {
    return { embeddings: this.#vision.forward(item as QwenImage) };
  }

  plan({ tokenIds: { length }, media }: Prompt): PromptPlan {
    if (media.length === 0) return { rows: (start) => ({ rotary: { offset: start, length } }), next: length };
    const { rope } = this.#text;
    const grids = gridsOf(media, this.#tokensPerSecond);
    return multiAxisRotary(positionIds(length, grids, this.#mergeSize), { axes: this.#axes, frequencies: rope.frequencies(length), factor: rope.attentionFactor });
  }

  decode(input: DecoderInput, cache?: Memory<AttentionCache>[]): Tensor {
    return this.#text.forward(input, cache);
  }

  logits(hidden: Tensor): Tensor {
    return this.#text.logits(hidden);
  }

  [Symbol.dispose](): void {
    disposeModules(this.#vision, this.#text);
  }
}
