import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { DeskhandError, isDeskhandError } from "../core/errors.js";

/** A cancelled generation ends within one step, which on a slow machine may be a long piece of a prompt. */
const CANCELLED_WAIT_MS = 5_000;

/** One request being answered. Disposing it says that the handler is done; it ends when the response is sent or lost as well. */
export interface Flight extends Disposable {
  /** Aborts when the client leaves or the server closes; the reason is a `DeskhandError` that says which. */
  readonly signal: AbortSignal;
}

/** The requests being answered, so that those whose client leaves or whose time is over, and at the end all, can be cancelled. */
export class InFlight {
  readonly #requestTimeoutMs: number;
  readonly #controllers = new Set<AbortController>();
  #onEmpty: (() => void) | undefined;

  constructor({ requestTimeoutMs }: { requestTimeoutMs: number }) {
    this.#requestTimeoutMs = requestTimeoutMs;
  }

  track(response: ServerResponse): Flight {
    const controller = new AbortController();
    this.#controllers.add(controller);
    let pending = 2;
    const partDone = () => {
      if (--pending > 0) return;
      clearTimeout(timer);
      this.#remove(controller);
    };
    const timer = setTimeout(() => {
      controller.abort(this.#tooLong());
      // What has been answered and is not read is held by nobody but the client.
      if (pending === 1) response.destroy();
    }, this.#requestTimeoutMs);
    // A response's `close` without its `finish` is the one sign of a lost client that streamed and whole answers share.
    const onClose = () => {
      if (!response.writableFinished) controller.abort(new DeskhandError("cancelled", "The client left."));
      partDone();
    };
    if (response.destroyed) onClose();
    else response.once("close", onClose);
    return { signal: controller.signal, [Symbol.dispose]: partDone };
  }

  /** Work that goes on without its client. */
  detach(): Flight {
    const controller = new AbortController();
    this.#controllers.add(controller);
    const timer = setTimeout(() => controller.abort(this.#tooLong()), this.#requestTimeoutMs);
    return {
      signal: controller.signal,
      [Symbol.dispose]: () => {
        clearTimeout(timer);
        this.#remove(controller);
      },
    };
  }

  #tooLong(): DeskhandError {
    return new DeskhandError("timeout", `The request took longer than the ${this.#requestTimeoutMs / 1000} s this server allows. Ask for fewer tokens, or start it with a longer --request-timeout.`);
  }

  #remove(controller: AbortController): void {
    this.#controllers.delete(controller);
    if (this.#controllers.size === 0) this.#onEmpty?.();
  }

  /** Resolves when no request is left. Those still there after `timeoutMs` are cancelled, and given a moment to end and say so. */
  async drain(timeoutMs: number): Promise<void> {
    if (this.#controllers.size === 0) return;
    const empty = new Promise<void>((resolve) => (this.#onEmpty = resolve));
    await Promise.race([empty, sleep(timeoutMs, undefined, { ref: false })]);
    const reason = new DeskhandError("engine_unavailable", "The server is shutting down. Try again when it is back.");
    for (const controller of this.#controllers) controller.abort(reason);
    if (this.#controllers.size > 0) await Promise.race([empty, sleep(CANCELLED_WAIT_MS, undefined, { ref: false })]);
  }
}

/** The error to answer with: why the request was cancelled, if it was, rather than how that surfaced. */
export function causeOf(error: unknown, signal: AbortSignal): unknown {
  return signal.aborted && isDeskhandError(signal.reason) ? signal.reason : error;
}
