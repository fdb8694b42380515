import { isDeskhandError, type DeskhandError } from "../core/errors.js";
import type { CallOptions, ChatRequest, EmbeddingRequest, Embeddings, EncodeRequest, Inference, InferenceEvent, ModelInfo, TranscriptionEvent, TranscriptionRequest } from "../engine/inference.js";

/** What of an engine is for requests. */
export type Borrowed = Omit<Inference, "stats" | "limitMemory" | "stop">;

/** An engine in the hands of a request: a generation that it refuses for want of memory is tried once more after room has been made for it. */
export class BorrowedEngine implements Borrowed {
  readonly #engine: Inference;
  readonly #makeRoom: (refusal: DeskhandError & { neededBytes: number }) => Promise<void>;

  /** @param makeRoom rejects when there is no room to make. */
  constructor(engine: Inference, makeRoom: (refusal: DeskhandError & { neededBytes: number }) => Promise<void>) {
    this.#engine = engine;
    this.#makeRoom = makeRoom;
  }

  get info(): ModelInfo {
    return this.#engine.info;
  }

  async *generate(request: ChatRequest, options?: CallOptions): AsyncGenerator<InferenceEvent, void> {
    let hasBegun = false;
    try {
      for await (const event of this.#engine.generate(request, options)) {
        hasBegun = true;
        yield event;
      }
      return;
    } catch (error) {
      if (hasBegun || !isRefusal(error)) throw error;
      await this.#makeRoom(error);
    }
    yield* this.#engine.generate(request, options);
  }

  transcribe(request: TranscriptionRequest, options?: CallOptions): AsyncIterable<TranscriptionEvent> {
    return this.#engine.transcribe(request, options);
  }

  embed(request: EmbeddingRequest, options?: CallOptions): Promise<Embeddings> {
    return this.#engine.embed(request, options);
  }

  encode(request: EncodeRequest): Promise<number[]> {
    return this.#engine.encode(request);
  }

  decode(tokens: readonly number[]): Promise<string> {
    return this.#engine.decode(tokens);
  }

  promptTokens(request: ChatRequest, options?: CallOptions): Promise<number[]> {
    return this.#engine.promptTokens(request, options);
  }
}

function isRefusal(error: unknown): error is DeskhandError & { neededBytes: number } {
  return isDeskhandError(error, "out_of_memory") && error.neededBytes !== undefined;
}
