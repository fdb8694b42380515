import { throwIfAborted } from "./errors.js";

/** Lets one holder in at a time, in the order of asking. */
export class Mutex {
  #last: Promise<void> = Promise.resolve();

  /**
   * Resolves with a release function (harmless when called twice) once everyone before has released.
   * @throws DeskhandError `cancelled` when the signal aborts first; the place in the queue is given up.
   */
  async acquire(signal?: AbortSignal): Promise<() => void> {
    throwIfAborted(signal);
    const before = this.#last;
    let release = (): void => undefined;
    this.#last = new Promise((resolve) => (release = resolve));
    let onAbort = (): void => undefined;
    const aborted = new Promise<void>((resolve) => {
      onAbort = resolve;
      signal?.addEventListener("abort", onAbort, { once: true });
    });
    await Promise.race([before, aborted]);
    signal?.removeEventListener("abort", onAbort);
    if (signal?.aborted) {
      void before.then(release);
      throwIfAborted(signal);
    }
    return release;
  }
}
