import type { Memory } from "../../cache/batch-cache.js";
import type { AttentionCache } from "../../cache/layer-cache.js";
import type { Tensor } from "../../mlx/index.js";
import type { Weights } from "../../nn/weights.js";
import type { Architecture, DecoderInput, Prompt, PromptPlan } from "../architecture.js";
import type { Phi3Config } from "./config.js";
import { Phi3TextModel } from "./text.js";

/** Phi-3 and Phi-4 as models of their own. */
export class Phi3Model implements Architecture {
  readonly modelType = "phi3";
  readonly vocabSize: number;
  readonly contextLength: number;
  readonly mediaTokenIds = [];
  readonly lengthBorder: number | undefined;
  readonly #text: Phi3TextModel;

  constructor(weights: Weights, { text, quantization }: Phi3Config) {
    this.vocabSize = text.vocab_size;
    this.contextLength = text.max_position_embeddings;
    this.#text = new Phi3TextModel(weights, text, quantization);
    this.lengthBorder = this.#text.lengthBorder;
  }

  createCache(): AttentionCache[] {
    return this.#text.createCache();
  }

  embed(ids: Tensor): Tensor {
    return this.#text.embed(ids);
  }

  plan(prompt: Prompt): PromptPlan {
    return this.#text.plan(prompt);
  }

  decode(input: DecoderInput, caches?: Memory<AttentionCache>[]): Tensor {
    return this.#text.forward(input, caches);
  }

  logits(hidden: Tensor): Tensor {
    return this.#text.logits(hidden);
  }

  [Symbol.dispose](): void {
    this.#text[Symbol.dispose]();
  }
}
