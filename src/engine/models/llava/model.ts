import type { Memory } from "../../cache/batch-cache.js";
import type { AttentionCache } from "../../cache/layer-cache.js";
import { gelu, reshape, type Tensor } from "../../mlx/index.js";
import { encoderShape, type EncoderShape } from "../../nn/encoder-shape.js";
import { Linear } from "../../nn/linear.js";
import { disposeModules } from "../../nn/module.js";
import type { LayoutAliases, Weights } from "../../nn/weights.js";
import type { Architecture, DecoderInput, MediaFeatures, MediaItem, Prompt, PromptPlan } from "../architecture.js";
import { LlamaTextModel } from "../llama/text.js";
import type { LlavaConfig } from "./config.js";
import type { ClipImage } from "./processor.js";
import { VisionTower } from "./vision.js";

/** Folders of the hub and those written by mlx-vlm name the parts otherwise than transformers 5 does. */
export const LLAVA_ALIASES: LayoutAliases = [
  ["language_model.model.", "model.language_model."],
  ["language_model.lm_head.", "lm_head."],
  ["vision_tower.vision_model.", "model.vision_tower."],
  ["model.vision_tower.vision_model.", "model.vision_tower."],
  ["multi_modal_projector.", "model.multi_modal_projector."],
  ["image_newline", "model.image_newline"],
];

/** LLaVA (arXiv:2310.03744): CLIP's or SigLIP's patches through two layers into a Llama, Mistral or Qwen2. Reference: transformers 5.23, models/llava/modeling_llava.py. */
export class LlavaModel implements Architecture {
  readonly modelType: string;
  readonly vocabSize: number;
  readonly contextLength: number;
  readonly mediaTokenIds: readonly number[];
  readonly encoder: EncoderShape;
  readonly #vision: VisionTower;
  readonly #linear1: Linear;
  readonly #linear2: Linear;
  readonly #text: LlamaTextModel;

  constructor(weights: Weights, config: LlavaConfig) {
    const { text_config: text, vision_config: vision, vision_feature_layer: layers, multimodal_projector_bias: bias, quantization } = config;
    this.modelType = config.model_type;
    this.vocabSize = text.vocab_size;
    this.contextLength = text.max_position_embeddings;
    this.encoder = encoderShape(vision);
    this.mediaTokenIds = [config.image_token_id];
    this.#vision = new VisionTower(weights, "model.vision_tower", vision, { layers, classToken: config.vision_feature_select_strategy === "full", quantization });
    const path = "model.multi_modal_projector";
    this.#linear1 = new Linear(weights, `${path}.linear_1`, { inputs: vision.hidden_size * layers.length, outputs: text.hidden_size, bias, quantization });
    this.#linear2 = new Linear(weights, `${path}.linear_2`, { inputs: text.hidden_size, outputs: text.hidden_size, bias, quantization });
    this.#text = new LlamaTextModel(weights, "model.language_model", text, quantization);
  }

  createCache(): AttentionCache[] {
    return this.#text.createCache();
  }

  embed(ids: Tensor): Tensor {
    return this.#text.embed(ids);
  }

  encode(item: MediaItem): MediaFeatures {
    const features = this.project((item as ClipImage).pixelValues, 1);
    return { embeddings: reshape(features, [-1, features.dim(-1)]) };
  }

  /** Rows of the decoder's width for each of `pictures` square pictures: `[pictures, rows, D]`. */
  protected project(pixelValues: Float32Array<ArrayBuffer>, pictures: number): Tensor {
    return this.#linear2.forward(gelu(this.#linear1.forward(this.#vision.forward(pixelValues, pictures))));
  }

  plan(prompt: Prompt): PromptPlan {
    return this.#text.plan(prompt);
  }

  decode(input: DecoderInput, cache?: Memory<AttentionCache>[]): Tensor {
    return this.#text.forward(input, cache);
  }

  logits(hidden: Tensor): Tensor {
    return this.#text.logits(hidden);
  }

  [Symbol.dispose](): void {
    disposeModules(this.#vision, this.#linear1, this.#linear2, this.#text);
  }
}
