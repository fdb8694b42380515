import { setTimeout as delay } from "node:timers/promises";

const MINUTE_MS = 60_000;

/** So much a minute, and the wait for more. */
export class RateLimiter {
  readonly #perMinute: number;
  readonly #now: () => number;
  readonly #wait: (ms: number, signal: AbortSignal) => Promise<unknown>;
  readonly #spent: { at: number; amount: number }[] = [];

  constructor(perMinute: number, clock: { now: () => number; wait: (ms: number, signal: AbortSignal) => Promise<unknown> } = { now: () => performance.now(), wait: (ms, signal) => delay(ms, undefined, { signal }) }) {
    this.#perMinute = perMinute;
    this.#now = clock.now;
    this.#wait = clock.wait;
  }

  /** Whether this much can ever be had at once. */
  allows(amount: number): boolean {
    return amount <= this.#perMinute;
  }

  /** Waits until this much is free in the minute that ends now, and takes it. */
  async take(amount: number, signal: AbortSignal): Promise<void> {
    for (;;) {
      while (this.#spent[0] && this.#spent[0].at <= this.#now() - MINUTE_MS) this.#spent.shift();
      const inMinute = this.#spent.reduce((sum, spent) => sum + spent.amount, 0);
      const [oldest] = this.#spent;
      if (!oldest || inMinute + amount <= this.#perMinute) break;
      await this.#wait(oldest.at + MINUTE_MS - this.#now(), signal);
    }
    this.#spent.push({ at: this.#now(), amount });
  }
}
