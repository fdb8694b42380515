import type { Memory } from "../../cache/batch-cache.js";
import type { AttentionCache } from "../../cache/layer-cache.js";
import type { Tensor } from "../../mlx/index.js";
import type { Weights } from "../../nn/weights.js";
import type { Architecture, DecoderInput, Prompt, PromptPlan } from "../architecture.js";
import type { Qwen2Config } from "./config.js";
import { Qwen2TextModel } from "./text.js";

export class Qwen2Model implements Architecture {
  readonly modelType = "qwen2";
  readonly vocabSize: number;
  readonly contextLength: number;
  readonly mediaTokenIds = [];
  readonly #text: Qwen2TextModel;

  constructor(weights: Weights, { text, tie_word_embeddings: tiedHead, quantization }: Qwen2Config) {
    this.vocabSize = text.vocab_size;
    this.contextLength = text.max_position_embeddings;
    this.#text = new Qwen2TextModel(weights, text, { path: "model", tiedHead, quantization });
  }

  createCache(): AttentionCache[] {
    return this.#text.createCache();
  }

  embed(ids: Tensor): Tensor {
    return this.#text.embed(ids);
  }

  plan({ tokenIds: { length } }: Prompt): PromptPlan {
    return { rows: (start) => ({ rotary: { offset: start, length } }), next: length };
  }

  decode(input: DecoderInput, cache?: Memory<AttentionCache>[]): Tensor {
    return this.#text.forward(input, cache);
  }

  logits(hidden: Tensor): Tensor {
    return this.#text.logits(hidden);
  }

  [Symbol.dispose](): void {
    this.#text[Symbol.dispose]();
  }
}
