import type { Memory } from "../../cache/batch-cache.js";
import type { AttentionCache } from "../../cache/layer-cache.js";
import type { Tensor } from "../../mlx/index.js";
import type { Linear } from "../../nn/linear.js";
import { disposeModules } from "../../nn/module.js";
import { outputHead } from "../../nn/output-head.js";
import type { Weights } from "../../nn/weights.js";
import type { Architecture, DecoderInput, Prompt, PromptPlan } from "../architecture.js";
import type { Qwen3MoeConfig } from "./config.js";
import { MoeDecoder } from "./text.js";

export class Qwen3MoeModel implements Architecture {
  readonly modelType = "qwen3_moe";
  readonly vocabSize: number;
  readonly contextLength: number;
  readonly mediaTokenIds = [];
  readonly #text: MoeDecoder;
  readonly #lmHead: Linear | undefined;

  constructor(weights: Weights, config: Qwen3MoeConfig) {
    const { hidden_size: dims, vocab_size: vocabSize, quantization } = config;
    this.vocabSize = vocabSize;
    this.contextLength = config.max_position_embeddings;
    this.#text = new MoeDecoder(weights, "model", config);
    this.#lmHead = outputHead(weights, { embeddings: "model.embed_tokens", tied: config.tie_word_embeddings, inputs: dims, outputs: vocabSize, quantization });
  }

  createCache(): AttentionCache[] {
    return this.#text.createCache();
  }

  embed(ids: Tensor): Tensor {
    return this.#text.embedTokens.forward(ids);
  }

  plan({ tokenIds: { length } }: Prompt): PromptPlan {
    return { rows: (start) => ({ rotary: { offset: start, length } }), next: length };
  }

  decode(input: DecoderInput, cache?: Memory<AttentionCache>[]): Tensor {
    return this.#text.forward(input, cache);
  }

  logits(hidden: Tensor): Tensor {
    return this.#lmHead?.forward(hidden) ?? this.#text.embedTokens.asLinear(hidden);
  }

  [Symbol.dispose](): void {
    disposeModules(this.#text, this.#lmHead);
  }
}
