import { throwIfAborted } from "../../core/errors.js";

/** `stepping` does one step and pauses again. */
export type RunMode = "running" | "paused" | "stepping";

export interface RunState {
  mode: RunMode;
  /** Why it is paused, for people. */
  reason?: string;
}

/**
 * How people take hold of runs: pause, resume, one step, stop. A terminal, a page and a voice may share one. A pause lasts across
 * runs, so that a run can be made to begin paused.
 */
export class RunController {
  #state: RunState = { mode: "running" };
  readonly #onChange = new Set<(state: RunState) => void>();
  readonly #onStop = new Set<(reason: string) => void>();

  get state(): RunState {
    return this.#state;
  }

  /** Nothing is done from now on until `resume` or `step`; what the model says meanwhile is not done either. */
  pause(reason: string): void {
    if (this.#state.mode !== "paused") this.#set({ mode: "paused", reason });
  }

  resume(): void {
    this.#set({ mode: "running" });
  }

  /** Does one step and pauses again. */
  step(): void {
    this.#set({ mode: "stepping" });
  }

  /** Ends the runs that are under way. */
  stop(reason: string): void {
    for (const listener of [...this.#onStop]) listener(reason);
  }

  onChange(listener: (state: RunState) => void): Disposable {
    this.#onChange.add(listener);
    return { [Symbol.dispose]: () => void this.#onChange.delete(listener) };
  }

  onStop(listener: (reason: string) => void): Disposable {
    this.#onStop.add(listener);
    return { [Symbol.dispose]: () => void this.#onStop.delete(listener) };
  }

  /**
   * Waits while paused. True when it had to: what was planned before is out of date then.
   * @throws DeskhandError `cancelled` when the signal aborts.
   */
  async pass(signal: AbortSignal): Promise<boolean> {
    throwIfAborted(signal);
    if (this.#state.mode !== "paused") return false;
    await new Promise<void>((resolve) => {
      const listening = this.onChange(({ mode }) => mode !== "paused" && end());
      const end = () => {
        listening[Symbol.dispose]();
        signal.removeEventListener("abort", end);
        resolve();
      };
      signal.addEventListener("abort", end);
    });
    throwIfAborted(signal);
    return true;
  }

  /** For the loop: a step has ended. */
  stepEnded(): void {
    if (this.#state.mode === "stepping") this.pause("One step was done.");
  }

  #set(state: RunState): void {
    this.#state = state;
    for (const listener of [...this.#onChange]) listener(state);
  }
}
