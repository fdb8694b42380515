import { DeskhandError } from "../../core/errors.js";
import { Mutex } from "../../core/semaphore.js";
import type { Embeddings, EmbeddingRequest } from "../inference.js";
import type { Architecture } from "../models/architecture.js";
import { plainPrompt } from "../plain-prompt.js";
import type { Tokenizer } from "../tokenizer/tokenizer.js";
import { embedTokens, finishVector } from "./embed.js";
import { readPooling } from "./pooling.js";

export interface EmbedderParts {
  dir: string;
  architecture: Architecture;
  tokenizer: Tokenizer;
}

/** Makes vectors of texts with a model that others use as well: one text at a time, beside what is generated. */
export class Embedder implements AsyncDisposable {
  readonly #parts: EmbedderParts;
  readonly #turn = new Mutex();
  #disposed = false;

  constructor(parts: EmbedderParts) {
    this.#parts = parts;
  }

  /** @throws DeskhandError `unsupported_model` for a folder that asks for more than pooling, `context_length_exceeded`, `invalid_argument`, `cancelled`. */
  async embed({ inputs, dimensions }: EmbeddingRequest, signal?: AbortSignal): Promise<Embeddings> {
    const { dir, architecture, tokenizer } = this.#parts;
    const release = await this.#turn.acquire(signal);
    try {
      if (this.#disposed) throw new DeskhandError("engine_unavailable", "The model has been disposed. Load it again.");
      const pooling = await readPooling(dir);
      const vectors: Float32Array[] = [];
      let promptTokens = 0;
      for (const input of inputs) {
        const { tokenIds } = await plainPrompt(input, tokenizer, architecture.vocabSize, { param: "input", signal });
        promptTokens += tokenIds.length;
        vectors.push(finishVector(await embedTokens(architecture, tokenIds, pooling, signal), pooling, dimensions));
      }
      return { vectors, promptTokens };
    } finally {
      release();
    }
  }

  /** Waits for the text under way; the model is its owner's. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    (await this.#turn.acquire())();
  }
}
