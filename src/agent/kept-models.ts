import { once } from "node:events";
import { DeskhandError, throwIfAborted } from "../core/errors.js";
import type { OnProgress } from "../core/progress.js";
import { DEFAULT_KEEP_MODEL_MS } from "./options.js";
import { startOwnServer, type OneConnectedModel } from "./own-server.js";

interface Kept {
  opening: Promise<OneConnectedModel>;
  ending: AbortController;
  users: number;
  idle?: NodeJS.Timeout;
}

/**
 * Models that agents start for themselves, and that stay loaded from run to run: give the same one to each `Agent`. A model that was
 * not used for a while is let go of, and loaded again when it is needed. Dispose it after the last run.
 */
export class KeptModels implements AsyncDisposable {
  readonly #idleMs: number;
  readonly #kept = new Map<string, Kept>();
  readonly #closing = new Set<Promise<void>>();
  #ended = false;

  /** @param idleMs how long a model stays that nobody uses */
  constructor({ idleMs = DEFAULT_KEEP_MODEL_MS }: { idleMs?: number } = {}) {
    this.#idleMs = idleMs;
  }

  /** The model, loaded if it is not; `close` gives it back. A caller that does not wait for it to be loaded leaves it loading, for the next one. */
  async use(model: string, onProgress: OnProgress | undefined, signal: AbortSignal): Promise<OneConnectedModel> {
    // Two of them at once may be more than the memory holds.
    await Promise.all(this.#closing);
    throwIfAborted(signal);
    if (this.#ended) throw new DeskhandError("cancelled", "The models were let go of, because everything ends.");
    const kept = this.#kept.get(model) ?? this.#open(model, onProgress);
    clearTimeout(kept.idle);
    kept.users += 1;
    let isBack = false;
    const giveBack = async () => {
      if (!isBack) this.#giveBack(model, kept);
      isBack = true;
    };
    try {
      const opened = await orAborted(kept.opening, signal);
      return { ...opened, close: giveBack };
    } catch (error) {
      await giveBack();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true;
    for (const [model, kept] of this.#kept) this.#end(model, kept);
    await Promise.all(this.#closing);
  }

  #open(model: string, onProgress: OnProgress | undefined): Kept {
    const ending = new AbortController();
    const kept: Kept = { opening: startOwnServer(model, onProgress, ending.signal), ending, users: 0 };
    this.#kept.set(model, kept);
    // What could not be loaded may be there at the next try.
    kept.opening.catch(() => this.#kept.get(model) === kept && this.#kept.delete(model));
    return kept;
  }

  #giveBack(model: string, kept: Kept): void {
    kept.users -= 1;
    if (kept.users === 0 && this.#kept.get(model) === kept) kept.idle = setTimeout(() => this.#end(model, kept), this.#idleMs).unref();
  }

  #end(model: string, kept: Kept): void {
    clearTimeout(kept.idle);
    this.#kept.delete(model);
    kept.ending.abort();
    const closing = kept.opening.then((opened) => opened.close()).catch(() => undefined);
    this.#closing.add(closing);
    void closing.then(() => this.#closing.delete(closing));
  }
}

async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const left = new AbortController();
  const aborted = once(signal, "abort", { signal: left.signal }).then((): never => {
    throw new DeskhandError("cancelled", "Cancelled while the model was loaded.", { cause: signal.reason });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    left.abort();
  }
}
