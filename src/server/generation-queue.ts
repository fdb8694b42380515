import { DeskhandError, throwIfAborted } from "../core/errors.js";

/** A place in the queue. Disposing it gives it up: while waiting, or after its turn. */
export interface Place extends Disposable {
  /** Resolves when it is this place's turn; rejects with `cancelled` when the signal aborts first. */
  turn(signal: AbortSignal): Promise<void>;
}

/** Weight of the latest generation in the moving average of how long one takes. */
const LATEST_WEIGHT = 0.3;
const RETRY_AFTER_MAX_S = 60;

/** Lets one generation run at a time, first come first served, and a bounded number wait. */
export class GenerationQueue {
  readonly #maxWaiting: number;
  readonly #waiting: { start: () => void }[] = [];
  #places = 0;
  #isBusy = false;
  #averageMs = 0;

  constructor(maxWaiting: number) {
    this.#maxWaiting = maxWaiting;
  }

  /** Requests that hold a place: one may be generating, the others wait or are being prepared. */
  get places(): number {
    return this.#places;
  }

  /** When a place should be free again, for `Retry-After`: about one generation from now. */
  get retryAfterS(): number {
    return Math.min(RETRY_AFTER_MAX_S, Math.max(1, Math.ceil(this.#averageMs / 1000)));
  }

  /** Takes a place at once, before any work on the request, or throws `queue_full`. */
  reserve(): Place {
    if (this.#places > this.#maxWaiting) {
      throw new DeskhandError("queue_full", `${this.#maxWaiting} requests are already waiting for this model. Try again in ${this.retryAfterS} s.`, { retryAfterS: this.retryAfterS });
    }
    this.#places++;
    let startedAt: number | undefined;
    let isHeld = true;
    return {
      turn: async (signal) => {
        await this.#wait(signal);
        startedAt = performance.now();
      },
      [Symbol.dispose]: () => {
        if (!isHeld) return;
        isHeld = false;
        this.#places--;
        if (startedAt !== undefined) this.#finish(performance.now() - startedAt);
      },
    };
  }

  async #wait(signal: AbortSignal): Promise<void> {
    throwIfAborted(signal);
    if (!this.#isBusy) {
      this.#isBusy = true;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const waiter = {
        start: () => {
          signal.removeEventListener("abort", leave);
          resolve();
        },
      };
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(new DeskhandError("cancelled", "Cancelled while waiting for its turn.", { cause: signal.reason }));
      };
      signal.addEventListener("abort", leave, { once: true });
      this.#waiting.push(waiter);
    });
  }

  #finish(tookMs: number): void {
    this.#averageMs = this.#averageMs === 0 ? tookMs : (1 - LATEST_WEIGHT) * this.#averageMs + LATEST_WEIGHT * tookMs;
    const next = this.#waiting.shift();
    // The turn passes on without a moment in which a newcomer could take it.
    if (next) next.start();
    else this.#isBusy = false;
  }
}
