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

/**
 * Keeps the models in memory within one bound. Each engine is allowed what it cannot let go of (weights, and what runs) and a like part of the
 * rest, for what it keeps; all allowances together are the bound. Where one needs more, those nobody uses are let go, the longest unused
 * first, and the others keep less.
 */
export class MemoryBudget {
  readonly #options: MemoryBudgetOptions;
  /** One model at a time waits to be loaded: what becomes free is for it. */
  readonly #loads = new Mutex();
  /** One at a time looks at what the models hold, and allots. Nobody waits for requests meanwhile, which may themselves wait for this. */
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
    const late = AbortSignal.timeout(this.#options.timeoutMs);
    const release = await this.#loads.acquire(signal);
    try {
      const needed = await model.expectedBytes();
      for (;;) {
        const most = this.mostFor(model);
        if (needed > most) throw tooLarge(model, needed, most);
        const someoneLeaves = new Promise<void>((resolve) => (this.#onRelease = resolve));
        const isReserved = await this.#alone(signal, async () => {
          const fits = await this.#reach(model, needed, signal);
          if (fits) model.reserve(needed);
          return fits;
        });
        if (isReserved) return;
        await settledOrAborted(someoneLeaves, AbortSignal.any([signal, late]));
        throwIfAborted(signal);
        if (late.aborted) throw inUse(`The model ${model.id} takes`, needed);
      }
    } finally {
      release();
    }
  }

  /** Allows a loaded model this much, where those nobody uses can make room for it. Others wait for nothing here. @returns whether it is allowed. */
  async grow(model: HostedModel, neededBytes: number, signal: AbortSignal): Promise<boolean> {
    return this.#alone(signal, async () => model.allowedBytes >= neededBytes || (await this.#reach(model, neededBytes, signal)));
  }

  /** After models came or went: allots anew. Where they turned out larger than expected, others than the newest make room. */
  async settle(newest?: HostedModel): Promise<void> {
    await this.#alone(undefined, async () => {
      await this.#measure();
      for (let victim = this.#idle(newest)[0]; victim !== undefined && this.#held() > this.#options.maxBytes; victim = this.#idle(newest)[0]) await this.#options.evict(victim);
      await this.#share();
    });
  }

  /** To be told whenever a model may have become free to go. */
  released(): void {
    this.#onRelease?.();
  }

  /** What a model may have when only the pinned ones stay. */
  mostFor(model: HostedModel): number {
    return this.#options.maxBytes - this.#others(model).reduce((sum, { isPinned, weightBytes }) => sum + (isPinned ? weightBytes : 0), 0);
  }

  async #alone<Result>(signal: AbortSignal | undefined, body: () => Promise<Result>): Promise<Result> {
    const release = await this.#turn.acquire(signal);
    try {
      return await body();
    } finally {
      release();
    }
  }

  /** Has the allowance of a model reach this much. @returns false, and lets nobody go, when that does not suffice. */
  async #reach(model: HostedModel, needed: number, signal: AbortSignal): Promise<boolean> {
    for (;;) {
      throwIfAborted(signal);
      await this.#measure();
      const free = this.#options.maxBytes - this.#held(model);
      const idle = this.#idle(model);
      if (needed > free + sumOf(idle)) return false;
      if (needed > free) await this.#options.evict(idle[0]!);
      // Others may have begun more in the meantime.
      else if (await this.#share(model, needed)) return true;
    }
  }

  /** Allots the memory, at least `needed` of it to the favoured one. @returns whether all that are to keep less do. */
  async #share(favoured?: HostedModel, needed = 0): Promise<boolean> {
    const present = this.#options.models().filter((model) => model.isPresent || model === favoured);
    const floors = present.map((model) => (model === favoured ? Math.max(model.heldBytes, needed) : model.heldBytes));
    const spare = Math.max(0, this.#options.maxBytes - floors.reduce((sum, bytes) => sum + bytes, 0));
    const parts = present.map((model, i) => ({ model, bytes: floors[i]! + Math.floor(spare / present.length) }));
    // What one is given another has to have given back.
    const lowered = await Promise.all(parts.filter(({ model, bytes }) => bytes < model.allowedBytes).map(async ({ model, bytes }) => (await model.allow(bytes)) && model.heldBytes <= bytes));
    if (lowered.includes(false)) return false;
    await Promise.all(parts.filter(({ model, bytes }) => bytes > model.allowedBytes).map(({ model, bytes }) => model.allow(bytes)));
    return true;
  }

  async #measure(): Promise<void> {
    await Promise.all(this.#options.models().map((model) => model.measure()));
  }

  #held(except?: HostedModel): number {
    return sumOf(this.#options.models().filter((model) => model !== except));
  }

  #others(model: HostedModel): HostedModel[] {
    return this.#options.models().filter((other) => other !== model && other.isPresent);
  }

  /** Those that may be let go, the longest unused first. */
  #idle(except?: HostedModel): HostedModel[] {
    const idle = this.#options.models().filter((model) => model !== except && model.isPresent && model.users === 0 && !model.isPinned && model.state !== "loading");
    return idle.sort((a, b) => a.lastUsedAt - b.lastUsedAt);
  }
}

function sumOf(models: readonly HostedModel[]): number {
  return models.reduce((sum, { heldBytes }) => sum + heldBytes, 0);
}

/** As the promise, or nothing when the signal aborts first. */
export async function settledOrAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  let leave = (): void => undefined;
  const aborted = new Promise<void>((resolve) => {
    leave = resolve;
    signal.addEventListener("abort", leave, { once: true });
  });
  try {
    if (!signal.aborted) await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", leave);
  }
}

/** @param what takes it, as the beginning of a sentence. */
export function inUse(what: string, needed: number): DeskhandError {
  return new DeskhandError("engine_unavailable", `${what} about ${gigabytes(needed)} of memory, which are not free while other models are in use. Try again when they are not, or start the server with a larger --max-memory.`, { retryAfterS: 5 });
}

function tooLarge(model: HostedModel, needed: number, most: number): DeskhandError {
  return new DeskhandError("model_too_large", `The model ${model.id} takes about ${gigabytes(needed)} of memory but only ${gigabytes(most)} can be free for it beside the pinned ones. Use a smaller one, pin fewer, or start the server with a larger --max-memory.`, { param: "model" });
}

function gigabytes(bytes: number): string {
  return `${(Math.max(0, bytes) / 1e9).toFixed(2)} GB`;
}
