import { DeskhandError } from "../../core/errors.js";
import { memoryUse, scope, tensor } from "../mlx/index.js";
import type { Architecture, MediaItem, Prompt } from "../models/architecture.js";

/** Rows that an answer is expected to have when its request is let in: longer ones take from what is kept for later prompts. */
const EXPECTED_ANSWER = 256;
/** An encoder's activations beside a picture's numbers: about ten times them, of the towers that are served most. */
const ENCODER_FACTOR = 10;

/** Foretells what sequences take in memory, so that one which can never fit is refused before any work. */
export class MemoryPlan {
  readonly #maxBytes: number;
  /** What is held without any sequence: weights that are not mapped files. */
  readonly #baseBytes: number;
  readonly #layers: ((rows: number) => number)[];

  /** @param maxBytes most bytes in live tensors. */
  constructor(model: Architecture, maxBytes: number) {
    this.#maxBytes = maxBytes;
    // A graph of one row, which is never run, tells shapes and types.
    this.#layers = scope(() => {
      const caches = model.createCache();
      model.decode({ embeddings: model.embed(tensor(Int32Array.of(0), [1, 1])), rotary: { offset: 0 } }, caches);
      const sizes = caches.map((cache) => cache.sizing());
      for (const cache of caches) cache[Symbol.dispose]();
      return sizes;
    });
    this.#baseBytes = memoryUse().activeBytes;
  }

  /** Bytes that a prompt, the beginning of its answer, and the largest of its pictures take. */
  bytesOf({ tokenIds, media }: Prompt): number {
    const rows = tokenIds.length + EXPECTED_ANSWER;
    return this.#layers.reduce((sum, sizeOf) => sum + sizeOf(rows), 0) + Math.max(0, ...media.map(({ item }) => ENCODER_FACTOR * numbersOf(item)));
  }

  /** Bytes left for what is kept beside these sequences; negative when they do not fit together. */
  left(running: readonly Prompt[]): number {
    return this.#maxBytes - this.#baseBytes - running.reduce((sum, prompt) => sum + this.bytesOf(prompt), 0);
  }

  /** @throws DeskhandError `out_of_memory` for a prompt that does not fit even alone. */
  require(prompt: Prompt): void {
    if (this.left([prompt]) >= 0) return;
    const [needed, base, most] = [this.bytesOf(prompt), this.#baseBytes, this.#maxBytes].map(megabytes);
    throw new DeskhandError("out_of_memory", `Expected a prompt that fits into memory but this one of ${prompt.tokenIds.length} tokens takes about ${needed}, beside ${base} for the model, of ${most} in all. Shorten the conversation, or send fewer or smaller pictures.`, { param: "messages" });
  }
}

/** Bytes of the numbers an item holds. */
function numbersOf(item: MediaItem): number {
  const bytes = (value: unknown): number => {
    if (ArrayBuffer.isView(value)) return value.byteLength;
    return Array.isArray(value) ? value.reduce((sum: number, part) => sum + bytes(part), 0) : 0;
  };
  return Object.values(item).reduce((sum: number, value) => sum + bytes(value), 0);
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}
