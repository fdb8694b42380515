import type { Memory } from "../../cache/batch-cache.js";
import type { AttentionCache } from "../../cache/layer-cache.js";
import type { Tensor } from "../../mlx/index.js";
import { encoderShape, type EncoderShape } from "../../nn/encoder-shape.js";
import { disposeModules } from "../../nn/module.js";
import type { LayoutAliases, Weights } from "../../nn/weights.js";
import type { Architecture, DecoderInput, MediaFeatures, MediaItem, Prompt, PromptPlan } from "../architecture.js";
import { LlamaTextModel } from "../llama/text.js";
import type { Mistral3Config } from "./config.js";
import type { PixtralImage } from "./processor.js";
import { Projector } from "./projector.js";
import { PixtralTower } from "./vision.js";

/** Folders of the hub and those written by mlx-vlm name the parts otherwise than transformers 5 does. */
export const MISTRAL3_ALIASES: LayoutAliases = [
  ["language_model.model.", "model.language_model."],
  ["language_model.lm_head.", "lm_head."],
  ["vision_tower.vision_model.", "model.vision_tower."],
  ["vision_tower.", "model.vision_tower."],
  ["multi_modal_projector.", "model.multi_modal_projector."],
];

/** Mistral 3: a Pixtral tower, a patch merger, and a Mistral decoder. */
export class Mistral3Model implements Architecture {
  readonly modelType = "mistral3";
  readonly vocabSize: number;
  readonly contextLength: number;
  readonly mediaTokenIds: readonly number[];
  readonly encoder: EncoderShape;
  readonly #vision: PixtralTower;
  readonly #projector: Projector;
  readonly #text: LlamaTextModel;

  constructor(weights: Weights, config: Mistral3Config) {
    const { text_config: text, vision_config: vision, vision_feature_layer, quantization } = config;
    this.vocabSize = text.vocab_size;
    this.contextLength = text.max_position_embeddings;
    this.encoder = encoderShape(vision);
    this.mediaTokenIds = [config.image_token_id];
    this.#vision = new PixtralTower(weights, "model.vision_tower", vision, vision_feature_layer, quantization);
    this.#projector = new Projector(weights, "model.multi_modal_projector", config);
    this.#text = new LlamaTextModel(weights, "model.language_model", text, quantization);
  }

  createCache(): AttentionCache[] {
    return this.#text.createCache();
  }

  embed(ids: Tensor): Tensor {
    return this.#text.embed(ids);
  }

  encode(item: MediaItem): MediaFeatures {
    const image = item as PixtralImage;
    return { embeddings: this.#projector.forward(this.#vision.forward(image), image.rows, image.columns) };
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
    disposeModules(this.#vision, this.#projector, this.#text);
  }
}
