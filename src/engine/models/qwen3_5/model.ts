import type { Tensor } from "../../mlx/index.js";
import type { Linear } from "../../nn/linear.js";
import { disposeModules } from "../../nn/module.js";
import { outputHead } from "../../nn/output-head.js";
import type { Weights } from "../../nn/weights.js";
import type { Architecture, DecoderInput, MediaFeatures, MediaItem, Prompt, PromptPlan } from "../architecture.js";
import { planImages } from "../qwen3_vl/positions.js";
import type { QwenImage } from "../qwen-vl-prompt.js";
import { VisionTower } from "../qwen3_vl/vision.js";
import type { Qwen35Config } from "./config.js";
import { TextModel, type Qwen35Cache } from "./text.js";

/**
 * Qwen3.5 and later ones of its type, with or without experts: Qwen3-VL's tower without taps, before a decoder of two kinds of
 * layers. mlx-lm's folders leave the tower out; such a model reads text only.
 */
export class Qwen35Model implements Architecture<Qwen35Cache> {
  readonly modelType: string;
  readonly vocabSize: number;
  readonly contextLength: number;
  readonly mediaTokenIds: readonly number[];
  /** Absent without the tower. */
  readonly encode: ((item: MediaItem) => MediaFeatures) | undefined;
  readonly #config: Qwen35Config;
  readonly #vision: VisionTower | undefined;
  readonly #text: TextModel;
  readonly #lmHead: Linear | undefined;

  constructor(weights: Weights, config: Qwen35Config) {
    const { text_config: text, vision_config: vision, mlp, quantization } = config;
    this.#config = config;
    this.modelType = config.model_type;
    this.vocabSize = text.vocab_size;
    this.contextLength = text.max_position_embeddings;
    const tower = weights.has("model.visual.patch_embed.proj.weight") ? new VisionTower(weights, "model.visual", vision, quantization) : undefined;
    this.mediaTokenIds = tower === undefined ? [] : [config.image_token_id];
    this.encode = tower && ((item) => tower.forward(item as QwenImage));
    this.#vision = tower;
    this.#text = new TextModel(weights, "model.language_model", { ...text, mlp, quantization });
    // Layers that guess several tokens ahead.
    weights.ignoreUnder("mtp.");
    this.#lmHead = outputHead(weights, { embeddings: "model.language_model.embed_tokens", tied: config.tie_word_embeddings, inputs: text.hidden_size, outputs: text.vocab_size, quantization });
  }

  createCache(): Qwen35Cache[] {
    return this.#text.createCache();
  }

  embed(ids: Tensor): Tensor {
    return this.#text.embedTokens.forward(ids);
  }

  plan(prompt: Prompt): PromptPlan {
    const { rotary_dim: head_dim, rope_theta, mrope_section } = this.#config.text_config;
    return planImages(prompt, this.#config.vision_config.spatial_merge_size, { head_dim, rope_theta, mrope_section });
  }

  decode(input: DecoderInput, cache?: Qwen35Cache[]): Tensor {
    return this.#text.forward(input, cache);
  }

  logits(hidden: Tensor): Tensor {
    return this.#lmHead?.forward(hidden) ?? this.#text.embedTokens.asLinear(hidden);
  }

  [Symbol.dispose](): void {
    disposeModules(this.#vision, this.#text, this.#lmHead);
  }
}
