import type { Memory } from "../../cache/batch-cache.js";
import type { AttentionCache } from "../../cache/layer-cache.js";
import type { Tensor } from "../../mlx/index.js";
import { encoderShape, type EncoderShape } from "../../nn/encoder-shape.js";
import type { Linear } from "../../nn/linear.js";
import { disposeModules } from "../../nn/module.js";
import { outputHead } from "../../nn/output-head.js";
import type { Weights } from "../../nn/weights.js";
import type { Architecture, DecoderInput, MediaFeatures, MediaItem, Prompt, PromptPlan } from "../architecture.js";
import { MoeDecoder } from "../qwen3_moe/text.js";
import { planImages } from "../qwen3_vl/positions.js";
import type { QwenImage } from "../qwen-vl-prompt.js";
import { VisionTower } from "../qwen3_vl/vision.js";
import type { Qwen3VLMoeConfig } from "./config.js";

/** Qwen3-VL with Qwen3-MoE's decoder. Reference: transformers 5.23, models/qwen3_vl_moe/modeling_qwen3_vl_moe.py. */
export class Qwen3VLMoeModel implements Architecture {
  readonly modelType = "qwen3_vl_moe";
  readonly vocabSize: number;
  readonly contextLength: number;
  readonly mediaTokenIds: readonly number[];
  readonly encoder: EncoderShape;
  /** Absent without the tower, which mlx-lm's folders leave out. */
  readonly encode: ((item: MediaItem) => MediaFeatures) | undefined;
  readonly #config: Qwen3VLMoeConfig;
  readonly #vision: VisionTower | undefined;
  readonly #text: MoeDecoder;
  readonly #lmHead: Linear | undefined;

  constructor(weights: Weights, config: Qwen3VLMoeConfig) {
    const { text_config: text, vision_config: vision, quantization } = config;
    this.#config = config;
    this.vocabSize = text.vocab_size;
    this.contextLength = text.max_position_embeddings;
    this.encoder = encoderShape(vision);
    const tower = weights.has("model.visual.patch_embed.proj.weight") ? new VisionTower(weights, "model.visual", vision, quantization) : undefined;
    this.mediaTokenIds = tower === undefined ? [] : [config.image_token_id, config.video_token_id];
    this.encode = tower && ((item) => tower.forward(item as QwenImage));
    this.#vision = tower;
    this.#text = new MoeDecoder(weights, "model.language_model", { ...text, quantization });
    this.#lmHead = outputHead(weights, { embeddings: "model.language_model.embed_tokens", tied: config.tie_word_embeddings, inputs: text.hidden_size, outputs: text.vocab_size, quantization });
  }

  createCache(): AttentionCache[] {
    return this.#text.createCache();
  }

  embed(ids: Tensor): Tensor {
    return this.#text.embedTokens.forward(ids);
  }

  plan(prompt: Prompt): PromptPlan {
    return planImages(prompt, this.#config.vision_config.spatial_merge_size, this.#config.text_config);
  }

  decode(input: DecoderInput, cache?: Memory<AttentionCache>[]): Tensor {
    return this.#text.forward(input, cache);
  }

  logits(hidden: Tensor): Tensor {
    return this.#lmHead?.forward(hidden) ?? this.#text.embedTokens.asLinear(hidden);
  }

  [Symbol.dispose](): void {
    disposeModules(this.#vision, this.#text, this.#lmHead);
  }
}
