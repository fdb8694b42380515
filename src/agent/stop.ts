/**
 * Why a run ended. The first two are the model's own doing. `person`: somebody said stop. `refused`: the model kept to what it may not
 * do. `stuck`: it got nowhere. `dry_run`: it was only to plan.
 */
export const STOP_KINDS = ["terminate", "answer", "max_steps", "max_seconds", "max_tokens", "aborted", "failsafe", "person", "refused", "stuck", "dry_run", "error"] as const;
export type StopKind = (typeof STOP_KINDS)[number];

/** How a run ended. */
export interface Ending {
  success: boolean;
  stop: StopKind;
  /** One sentence for people. */
  reason: string;
  /** The model's answer, when the task was a question. */
  answer?: string;
}

/** Ends a run: thrown inside it, or given to its abort signal as the reason. */
export class Interruption extends Error {
  readonly stop: StopKind;

  constructor(stop: Exclude<StopKind, "terminate" | "answer" | "max_steps" | "dry_run" | "error">, message: string) {
    super(message);
    this.name = "Interruption";
    this.stop = stop;
  }
}

/**
 * One abort signal for everything that can interrupt a run: the caller's signals and the time limit. `interrupt` adds others.
 * Dispose it when the run is over.
 */
export class Interrupter implements Disposable {
  readonly #controller = new AbortController();
  readonly #cleanUp: (() => void)[] = [];

  constructor(signals: readonly (AbortSignal | undefined)[]) {
    for (const signal of signals) {
      if (!signal) continue;
      const onAbort = () => this.interrupt(new Interruption("aborted", `Stopped by the caller${reasonOf(signal)}.`));
      if (signal.aborted) onAbort();
      signal.addEventListener("abort", onAbort, { once: true });
      this.#cleanUp.push(() => signal.removeEventListener("abort", onAbort));
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  interrupt(interruption: Interruption): void {
    this.#controller.abort(interruption);
  }

  /** Starts the clock. */
  limit(maxSeconds: number): void {
    const timer = setTimeout(() => this.interrupt(new Interruption("max_seconds", `Stopped at the limit of ${maxSeconds} s.`)), maxSeconds * 1000);
    this.#cleanUp.push(() => clearTimeout(timer));
  }

  [Symbol.dispose](): void {
    for (const cleanUp of this.#cleanUp) cleanUp();
  }
}

function reasonOf(signal: AbortSignal): string {
  const reason: unknown = signal.reason;
  if (reason instanceof Error) return reason.name === "AbortError" ? "" : `: ${reason.message}`;
  return typeof reason === "string" ? `: ${reason}` : "";
}
