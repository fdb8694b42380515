import type { Memory } from "../../cache/batch-cache.js";
import type { AttentionCache } from "../../cache/layer-cache.js";
import type { Tensor } from "../../mlx/index.js";
import type { QuantizationConfig } from "../../nn/quantization.js";
import type { Weights } from "../../nn/weights.js";
import type { Architecture, DecoderInput, Prompt, PromptPlan } from "../architecture.js";
import type { LlamaTextConfig } from "./config.js";
import { LlamaTextModel } from "./text.js";

/** A Llama-like decoder as a model of its own: Llama, Mistral. */
export class LlamaModel implements Architecture {
  readonly modelType: string;
  readonly vocabSize: number;
  readonly contextLength: number;
  readonly mediaTokenIds = [];
  readonly #text: LlamaTextModel;

  constructor(weights: Weights, { model_type, text, quantization }: { model_type: string; text: LlamaTextConfig; quantization?: QuantizationConfig }) {
    this.modelType = model_type;
    this.vocabSize = text.vocab_size;
    this.contextLength = text.max_position_embeddings;
    this.#text = new LlamaTextModel(weights, "model", text, quantization);
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
