import type { Memory } from "../../cache/batch-cache.js";
import type { AttentionCache } from "../../cache/layer-cache.js";
import type { Tensor } from "../../mlx/index.js";
import { encoderShape, type EncoderShape } from "../../nn/encoder-shape.js";
import { disposeModules } from "../../nn/module.js";
import type { Weights } from "../../nn/weights.js";
import type { Architecture, DecoderInput, MediaFeatures, MediaItem, Prompt, PromptPlan } from "../architecture.js";
import { Phi3TextModel } from "../phi3/text.js";
import type { Phi3VConfig } from "./config.js";
import type { Phi3VImage } from "./processor.js";
import { VisionTower } from "./vision.js";

/** The last row of the embeddings: beyond the tokenizer's vocabulary, so no text has it. */
export function placeId({ text }: Phi3VConfig): number {
  return text.vocab_size - 1;
}

export class Phi3VModel implements Architecture {
  readonly modelType = "phi3_v";
  readonly vocabSize: number;
  readonly contextLength: number;
  readonly mediaTokenIds: readonly number[];
  readonly encoder: EncoderShape;
  readonly lengthBorder: number | undefined;
  readonly #vision: VisionTower;
  readonly #text: Phi3TextModel;

  constructor(weights: Weights, config: Phi3VConfig) {
    this.vocabSize = config.text.vocab_size;
    this.contextLength = config.text.max_position_embeddings;
    this.encoder = encoderShape(config.vision_config);
    this.mediaTokenIds = [placeId(config)];
    this.#vision = new VisionTower(weights, "model.vision_embed_tokens", config);
    this.#text = new Phi3TextModel(weights, config.text, config.quantization);
    this.lengthBorder = this.#text.lengthBorder;
  }

  createCache(): AttentionCache[] {
    return this.#text.createCache();
  }

  embed(ids: Tensor): Tensor {
    return this.#text.embed(ids);
  }

  encode(item: MediaItem): MediaFeatures {
    return { embeddings: this.#vision.forward(item as Phi3VImage) };
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
    disposeModules(this.#vision, this.#text);
  }
}
