import type { Memory } from "../../cache/batch-cache.js";
import type { AttentionCache } from "../../cache/layer-cache.js";
import type { Tensor } from "../../mlx/index.js";
import { encoderShape, type EncoderShape } from "../../nn/encoder-shape.js";
import type { Linear } from "../../nn/linear.js";
import { disposeModules } from "../../nn/module.js";
import { outputHead } from "../../nn/output-head.js";
import type { LayoutAliases, Weights } from "../../nn/weights.js";
import type { Architecture, DecoderInput, MediaFeatures, MediaItem, Prompt, PromptPlan } from "../architecture.js";
import { Gemma3Decoder } from "../gemma3_text/text.js";
import type { Gemma3Config } from "./config.js";
import type { Gemma3Image } from "./processor.js";
import { Gemma3Vision } from "./vision.js";

/** The hub's and mlx-vlm's folders have one more word in the tower's paths; transformers 5 names the parts of its module otherwise. */
export const GEMMA3_ALIASES: LayoutAliases = [
  ["vision_tower.vision_model.", "vision_tower."],
  ["model.vision_tower.", "vision_tower."],
  ["model.multi_modal_projector.", "multi_modal_projector."],
  ["model.language_model.", "language_model.model."],
  ["lm_head.", "language_model.lm_head."],
];

/** Gemma 3 with pictures, whose rows see each other; a folder without the tower's weights is a text model. */
export class Gemma3Model implements Architecture {
  readonly modelType = "gemma3";
  readonly vocabSize: number;
  readonly contextLength: number;
  readonly mediaTokenIds: readonly number[];
  readonly encoder: EncoderShape | undefined;
  readonly encode?: (item: MediaItem) => MediaFeatures;
  readonly #imageTokenId: number;
  readonly #vision: Gemma3Vision | undefined;
  readonly #decoder: Gemma3Decoder;
  readonly #lmHead: Linear | undefined;

  constructor(weights: Weights, config: Gemma3Config) {
    const { text_config: text, vision_config, quantization, mm_tokens_per_image: tokensPerView } = config;
    this.vocabSize = text.vocab_size;
    this.contextLength = text.max_position_embeddings;
    this.encoder = vision_config && encoderShape(vision_config);
    this.#imageTokenId = config.image_token_id;
    if (vision_config !== undefined && weights.has("multi_modal_projector.mm_input_projection_weight")) {
      const vision = new Gemma3Vision(weights, vision_config, { tokensPerView, outputs: text.hidden_size, quantization });
      this.#vision = vision;
      this.encode = (item) => ({ embeddings: vision.forward(item as Gemma3Image) });
    }
    this.mediaTokenIds = this.#vision === undefined ? [] : [config.image_token_id];
    this.#decoder = new Gemma3Decoder(weights, "language_model.model", text, quantization);
    this.#lmHead = outputHead(weights, { path: "language_model.lm_head", embeddings: "language_model.model.embed_tokens", tied: config.tie_word_embeddings, inputs: text.hidden_size, outputs: text.vocab_size, quantization });
  }

  createCache(): AttentionCache[] {
    return this.#decoder.createCache();
  }

  embed(ids: Tensor): Tensor {
    return this.#decoder.embed(ids);
  }

  plan({ tokenIds, media }: Prompt): PromptPlan {
    const length = tokenIds.length;
    if (media.length === 0) return { rows: (start) => ({ rotary: { offset: start, length } }), next: length };
    const groups = this.#groups(tokenIds);
    return {
      rows: (start, end) => ({ rotary: { offset: start, length }, groups: groups.slice(start, end) }),
      // The rows of a view have to come in one pass to see each other.
      border(row) {
        let border = row;
        while (border < length && groups[border]! >= 0 && groups[border] === groups[border - 1]) border++;
        return border;
      },
      next: length,
    };
  }

  /** Numbers the views: each run of picture tokens is one. */
  #groups(tokenIds: readonly number[]): Int32Array<ArrayBuffer> {
    const groups = new Int32Array(tokenIds.length).fill(-1);
    let views = 0;
    tokenIds.forEach((id, row) => {
      if (id === this.#imageTokenId) groups[row] = tokenIds[row - 1] === id ? groups[row - 1]! : views++;
    });
    return groups;
  }

  decode(input: DecoderInput, cache?: Memory<AttentionCache>[]): Tensor {
    return this.#decoder.forward(input, cache);
  }

  logits(hidden: Tensor): Tensor {
    return this.#lmHead?.forward(hidden) ?? this.#decoder.tiedLogits(hidden);
  }

  [Symbol.dispose](): void {
    disposeModules(this.#vision, this.#decoder, this.#lmHead);
  }
}
