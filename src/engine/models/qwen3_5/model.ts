import type { Memory } from "../../cache/batch-cache.js";
import type { Tensor } from "../../mlx/index.js";
import { encoderShape, type EncoderShape } from "../../nn/encoder-shape.js";
import type { Linear } from "../../nn/linear.js";
import { disposeModules } from "../../nn/module.js";
import { outputHead } from "../../nn/output-head.js";
import type { LayoutAliases, Weights } from "../../nn/weights.js";
import type { Architecture, DecoderInput, MediaFeatures, MediaItem, Prompt, PromptPlan } from "../architecture.js";
import { QWEN3_VL_ALIASES } from "../qwen3_vl/model.js";
import { planImages } from "../qwen3_vl/positions.js";
import type { QwenImage } from "../qwen-vl-prompt.js";
import { VisionTower } from "../qwen3_vl/vision.js";
import type { Qwen35Config, Qwen35TextOnlyConfig } from "./config.js";
import { TextModel, type Qwen35Cache } from "./text.js";

/** Folders of the decoder alone have its parts where text models have them, or where mlx-lm puts them. */
export const QWEN3_5_TEXT_ALIASES: LayoutAliases = [...QWEN3_VL_ALIASES, ["model.language_model.", "model.language_model."], ["model.", "model.language_model."]];

/**
 * Qwen3.5 and later ones of its type, with or without experts: Qwen3-VL's tower without taps, before a decoder of two kinds of
 * layers. mlx-lm's folders leave the tower out, and some say so in their type; such a model reads text only.
 */
export class Qwen35Model implements Architecture {
  readonly modelType: string;
  readonly vocabSize: number;
  readonly contextLength: number;
  readonly mediaTokenIds: readonly number[];
  readonly encoder: EncoderShape | undefined;
  /** Absent without the tower. */
  readonly encode: ((item: MediaItem) => MediaFeatures) | undefined;
  readonly #textConfig: Qwen35TextOnlyConfig["text_config"];
  readonly #mergeSize: number;
  readonly #vision: VisionTower | undefined;
  readonly #text: TextModel;
  readonly #lmHead: Linear | undefined;

  constructor(weights: Weights, config: Qwen35Config | Qwen35TextOnlyConfig) {
    const { text_config: text, mlp, quantization } = config;
    this.#textConfig = text;
    this.modelType = config.model_type;
    this.vocabSize = text.vocab_size;
    this.contextLength = text.max_position_embeddings;
    const seeing = "vision_config" in config && weights.has("model.visual.patch_embed.proj.weight") ? config : undefined;
    const tower = seeing && new VisionTower(weights, "model.visual", seeing.vision_config, quantization);
    this.encoder = seeing && encoderShape(seeing.vision_config);
    this.mediaTokenIds = seeing === undefined ? [] : [seeing.image_token_id, seeing.video_token_id];
    this.#mergeSize = seeing?.vision_config.spatial_merge_size ?? 1;
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
    const { rotary_dim: head_dim, rope_theta, mrope_section } = this.#textConfig;
    return planImages(prompt, this.#mergeSize, { head_dim, rope_theta, mrope_section });
  }

  decode(input: DecoderInput, cache?: Memory<Qwen35Cache>[]): Tensor {
    return this.#text.forward(input, cache);
  }

  logits(hidden: Tensor): Tensor {
    return this.#lmHead?.forward(hidden) ?? this.#text.embedTokens.asLinear(hidden);
  }

  [Symbol.dispose](): void {
    disposeModules(this.#vision, this.#text, this.#lmHead);
  }
}
