import { DeskhandError, throwIfAborted } from "./errors.js";

/** Lets a number of holders in at a time, in the order of asking. */
export class Semaphore {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(places: number) {
    this.#free = places;
  }

  /**
   * Resolves with a release function (harmless when called twice) once there is a place.
   * @throws DeskhandError `cancelled` when the signal aborts first; the place in the queue is given up.
   */
  async acquire(signal?: AbortSignal): Promise<() => void> {
    throwIfAborted(signal);
    if (this.#free > 0) this.#free--;
    else await this.#turn(signal);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      // The place passes on without a moment in which a newcomer could take it.
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    };
  }

  #turn(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        signal?.removeEventListener("abort", leave);
        resolve();
      };
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        reject(new DeskhandError("cancelled", "Cancelled while waiting for its turn.", { cause: signal?.reason }));
      };
      signal?.addEventListener("abort", leave, { once: true });
      this.#waiting.push(enter);
    });
  }
}

/** Lets one holder in at a time, in the order of asking. */
export class Mutex extends Semaphore {
  constructor() {
    super(1);
  }
}
