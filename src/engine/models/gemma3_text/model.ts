import type { Memory } from "../../cache/batch-cache.js";
import type { AttentionCache } from "../../cache/layer-cache.js";
import type { Tensor } from "../../mlx/index.js";
import type { Linear } from "../../nn/linear.js";
import { disposeModules } from "../../nn/module.js";
import { outputHead } from "../../nn/output-head.js";
import type { Weights } from "../../nn/weights.js";
import type { Architecture, DecoderInput, Prompt, PromptPlan } from "../architecture.js";
import type { Gemma3TextConfig } from "./config.js";
import { Gemma3Decoder } from "./text.js";

/** Gemma 3 without pictures: the 270M and 1B models. */
export class Gemma3TextModel implements Architecture {
  readonly modelType = "gemma3_text";
  readonly vocabSize: number;
  readonly contextLength: number;
  readonly mediaTokenIds = [];
  readonly #decoder: Gemma3Decoder;
  readonly #lmHead: Linear | undefined;

  constructor(weights: Weights, config: Gemma3TextConfig) {
    this.vocabSize = config.vocab_size;
    this.contextLength = config.max_position_embeddings;
    this.#decoder = new Gemma3Decoder(weights, "model", config, config.quantization);
    this.#lmHead = outputHead(weights, { embeddings: "model.embed_tokens", tied: config.tie_word_embeddings, inputs: config.hidden_size, outputs: config.vocab_size, quantization: config.quantization });
  }

  createCache(): AttentionCache[] {
    return this.#decoder.createCache();
  }

  embed(ids: Tensor): Tensor {
    return this.#decoder.embed(ids);
  }

  plan({ tokenIds }: Prompt): PromptPlan {
    return { rows: (start) => ({ rotary: { offset: start, length: tokenIds.length } }), next: tokenIds.length };
  }

  decode(input: DecoderInput, cache?: Memory<AttentionCache>[]): Tensor {
    return this.#decoder.forward(input, cache);
  }

  logits(hidden: Tensor): Tensor {
    return this.#lmHead?.forward(hidden) ?? this.#decoder.tiedLogits(hidden);
  }

  [Symbol.dispose](): void {
    disposeModules(this.#decoder, this.#lmHead);
  }
}
