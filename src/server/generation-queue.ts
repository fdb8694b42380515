import { DeskhandError } from "../core/errors.js";
import { Semaphore } from "../core/semaphore.js";

/** A place in the queue. Disposing it gives it up: while waiting, or after its turn. */
export interface Place extends Disposable {
  /** Resolves when it is this place's turn; rejects with `cancelled` when the signal aborts first. */
  turn(signal: AbortSignal): Promise<void>;
}

/** Weight of the latest generation in the moving average of how long one takes. */
const LATEST_WEIGHT = 0.3;
const RETRY_AFTER_MAX_S = 60;

/** What the queue lets through. */
export interface QueueLimits {
  /** Requests that run at once. */
  maxConcurrent: number;
  /** Requests that may wait beside those. */
  maxWaiting: number;
}

/** Lets a number of generations run at once, first come first served, and a bounded number wait. */
export class GenerationQueue {
  readonly #limits: QueueLimits;
  readonly #running: Semaphore;
  #places = 0;
  #averageMs = 0;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
    this.#running = new Semaphore(limits.maxConcurrent);
  }

  /** Requests that hold a place: some are generating, the others wait or are being prepared. */
  get places(): number {
    return this.#places;
  }

  /** When a place should be free again, for `Retry-After`: about the time until one of those running ends. */
  get retryAfterS(): number {
    return Math.min(RETRY_AFTER_MAX_S, Math.max(1, Math.ceil(this.#averageMs / this.#limits.maxConcurrent / 1000)));
  }

  /** Takes a place at once, before any work on the request, or throws `queue_full`. */
  reserve(): Place {
    const { maxConcurrent, maxWaiting } = this.#limits;
    if (this.#places >= maxConcurrent + maxWaiting) {
      throw new DeskhandError("queue_full", `${maxWaiting} requests are already waiting for this model. Try again in ${this.retryAfterS} s.`, { retryAfterS: this.retryAfterS });
    }
    this.#places++;
    let running: { startedAt: number; release: () => void } | undefined;
    let isHeld = true;
    return {
      turn: async (signal) => {
        const release = await this.#running.acquire(signal);
        running = { startedAt: performance.now(), release };
      },
      [Symbol.dispose]: () => {
        if (!isHeld) return;
        isHeld = false;
        this.#places--;
        if (running === undefined) return;
        const tookMs = performance.now() - running.startedAt;
        this.#averageMs = this.#averageMs === 0 ? tookMs : (1 - LATEST_WEIGHT) * this.#averageMs + LATEST_WEIGHT * tookMs;
        running.release();
      },
    };
  }
}
