import { DeskhandError, throwIfAborted } from "../core/errors.js";
import { Mutex } from "../core/semaphore.js";
import type { HostedModel } from "./hosted-model.js";

export interface MemoryBudgetOptions {
  maxBytes: number;
  /** How long a model that is to be loaded waits for others to be given back. */
  timeoutMs: number;
  models: () => readonly HostedModel[];
  evict: (model: HostedModel) => Promise<void>;
}

/** Keeps the models in memory within a bound: those nobody uses make room, the longest unused first. */
export class MemoryBudget {
  readonly #options: MemoryBudgetOptions;
  /** One at a time makes room: what is freed is for its own model. */
  readonly #turn = new Mutex();
  #onRelease: (() => void) | undefined;

  constructor(options: MemoryBudgetOptions) {
    this.#options = options;
  }

  /**
   * Reserves memory for a model, which is not loaded yet, after others made room where they have to.
   * @throws DeskhandError `model_too_large` when it can never fit, `engine_unavailable` when those in use are not given back in time.
   */
  async makeRoom(model: HostedModel, signal: AbortSignal): Promise<void> {
    const { maxBytes, timeoutMs } = this.#options;
    const late = AbortSignal.timeout(timeoutMs);
    const release = await this.#turn.acquire(signal);
    try {
      const needed = await model.expectedBytes();
      if (needed > maxBytes) throw tooLarge(model, needed, maxBytes);
      await Promise.all(this.#options.models().map((other) => other.measure()));
      while (this.#used(model) + needed > maxBytes) {
        const victim = this.#leastUsed(model);
        if (victim !== undefined) await this.#options.evict(victim);
        else if (!this.#others(model).some(({ isPinned }) => !isPinned)) throw tooLarge(model, needed, maxBytes - this.#used(model));
        else await this.#someoneLeaves(model, AbortSignal.any([signal, late]), signal);
      }
      model.reserve(needed);
    } finally {
      release();
    }
  }

  /** After a model turned out larger than expected: others make room where they can. */
  async trim(newest: HostedModel): Promise<void> {
    for (let victim = this.#leastUsed(newest); victim !== undefined && this.#used() > this.#options.maxBytes; victim = this.#leastUsed(newest)) await this.#options.evict(victim);
  }

  /** To be told whenever a model may have become free to go. */
  released(): void {
    this.#onRelease?.();
  }

  #used(except?: HostedModel): number {
    return this.#options.models().reduce((sum, model) => (model === except ? sum : sum + model.bytes), 0);
  }

  #others(model: HostedModel): HostedModel[] {
    return this.#options.models().filter((other) => other !== model && other.bytes > 0);
  }

  #leastUsed(except: HostedModel): HostedModel | undefined {
    const idle = this.#others(except).filter(({ users, isPinned, state }) => users === 0 && !isPinned && state !== "loading");
    return idle.sort((a, b) => a.lastUsedAt - b.lastUsedAt)[0];
  }

  async #someoneLeaves(model: HostedModel, either: AbortSignal, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#onRelease = resolve;
      if (either.aborted) resolve();
      either.addEventListener("abort", () => resolve(), { once: true });
    });
    throwIfAborted(signal);
    if (either.aborted) throw new DeskhandError("engine_unavailable", `There is no memory for the model ${model.id} while the others are in use. Try again when they are not, or start the server with a larger --max-memory.`, { retryAfterS: 5 });
  }
}

function tooLarge(model: HostedModel, needed: number, free: number): DeskhandError {
  return new DeskhandError("model_too_large", `The model ${model.id} takes about ${gigabytes(needed)} of memory but ${gigabytes(free)} are allowed to it. Use a smaller one, or start the server with a larger --max-memory.`, { param: "model" });
}

function gigabytes(bytes: number): string {
  return `${(Math.max(0, bytes) / 1e9).toFixed(2)} GB`;
}
