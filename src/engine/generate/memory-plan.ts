import { DeskhandError } from "../../core/errors.js";
import { memoryUse, scope, tensor } from "../mlx/index.js";
import type { Architecture, MediaItem, MediaSpan, Prompt } from "../models/architecture.js";
import { encoderBytes, type EncoderShape } from "../nn/encoder-shape.js";

/** Rows that an answer is expected to have when its request is let in: longer ones take from what is kept for later prompts. */
const EXPECTED_ANSWER = 256;
/** Activations beside the numbers of what no tower is known for, sounds: about ten times them. */
const ENCODER_FACTOR = 10;
const NUMBER_BYTES = 4;

/** Foretells what sequences take in memory, so that one which can never fit is refused before any work. */
export class MemoryPlan {
  /** Most bytes in live tensors. */
  maxBytes: number;
  /** What is held without any sequence. */
  readonly weightBytes: number;
  readonly #encoder: EncoderShape | undefined;
  readonly #layers: ((rows: number) => number)[];

  /**
   * @param maxBytes most bytes in live tensors.
   * @param weightBytes of the model's files, where these are memory too: those mapped into it count as no tensors.
   */
  constructor(model: Architecture, maxBytes: number, weightBytes: number) {
    this.maxBytes = maxBytes;
    this.#encoder = model.encoder;
    // A graph of one row, which is never run, tells shapes and types.
    this.#layers = scope(() => {
      const caches = model.createCache();
      model.decode({ embeddings: model.embed(tensor(Int32Array.of(0), [1, 1])), rotary: { offset: 0 } }, caches);
      const sizes = caches.map((cache) => cache.sizing());
      for (const cache of caches) cache[Symbol.dispose]();
      return sizes;
    });
    this.weightBytes = Math.max(memoryUse().activeBytes, weightBytes);
  }

  /** Bytes that a prompt, the beginning of its answer, and the largest of its pictures take. */
  bytesOf({ tokenIds, media }: Prompt): number {
    const rows = tokenIds.length + EXPECTED_ANSWER;
    return this.#layers.reduce((sum, sizeOf) => sum + sizeOf(rows), 0) + Math.max(0, ...media.map((span) => this.#encodingBytes(span)));
  }

  #encodingBytes({ item, numbers = numbersOf(item) }: MediaSpan): number {
    return this.#encoder === undefined || item.kind === "audio" ? ENCODER_FACTOR * NUMBER_BYTES * numbers : encoderBytes(this.#encoder, numbers);
  }

  /** What these take together. */
  sum(running: readonly Prompt[]): number {
    return running.reduce((sum, prompt) => sum + this.bytesOf(prompt), 0);
  }

  /** Bytes left for what is kept beside these sequences; negative when they do not fit together. */
  left(running: readonly Prompt[]): number {
    return this.maxBytes - this.weightBytes - this.sum(running);
  }

  /** @throws DeskhandError `out_of_memory` for a prompt that does not fit even alone. */
  require(prompt: Prompt): void {
    if (this.left([prompt]) >= 0) return;
    const bytes = this.bytesOf(prompt);
    const [needed, base, most] = [bytes, this.weightBytes, this.maxBytes].map(megabytes);
    throw new DeskhandError("out_of_memory", `Expected a prompt that fits into memory but this one of ${prompt.tokenIds.length} tokens takes about ${needed}, beside ${base} for the model, of ${most} in all. Shorten the conversation, or send fewer or smaller pictures.`, { param: "messages", neededBytes: this.weightBytes + bytes });
  }
}

/** How many numbers an item holds. */
function numbersOf(item: MediaItem): number {
  const count = (value: unknown): number => {
    if (value instanceof Float32Array) return value.length;
    return Array.isArray(value) ? value.reduce((sum: number, part) => sum + count(part), 0) : 0;
  };
  return Object.values(item).reduce((sum: number, value) => sum + count(value), 0);
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}
