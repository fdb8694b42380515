import type { LiveEvent } from "./live-events.js";

export interface LiveEntry {
  /** Counts up from 1. */
  id: number;
  event: LiveEvent;
}

/** Of these the last one tells everything. */
const STATES: ReadonlySet<LiveEvent["type"]> = new Set(["tokens", "mode", "asking", "heard"]);
/** What lasts from run to run. */
const LASTING: ReadonlySet<LiveEvent["type"]> = new Set(["mode", "asking", "heard"]);

/**
 * Everything a page has to be told to show the run so far, whenever it comes: what later events made superfluous is forgotten, so that
 * a run takes one entry for each of its finished steps. Whoever has seen some of it gets on with what follows.
 */
export class LiveLog {
  #entries: LiveEntry[] = [];
  #lastId = 0;
  #ended = false;
  #wake: (() => void)[] = [];

  add(event: LiveEvent): void {
    this.#entries = this.#entries.filter((earlier) => !isSuperseded(earlier.event, event));
    this.#entries.push({ id: ++this.#lastId, event });
    this.#wakeAll();
  }

  /** Nothing more will come. */
  end(): void {
    this.#ended = true;
    this.#wakeAll();
  }

  get ended(): boolean {
    return this.#ended;
  }

  after(id: number): readonly LiveEntry[] {
    return this.#entries.filter((entry) => entry.id > id);
  }

  /** Resolves with the next event or the end, or when the signal aborts. */
  async changed(signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#ended) return;
    await new Promise<void>((resolve) => {
      const wake = () => {
        signal.removeEventListener("abort", wake);
        resolve();
      };
      signal.addEventListener("abort", wake);
      this.#wake.push(wake);
    });
  }

  #wakeAll(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

function isSuperseded(earlier: LiveEvent, by: LiveEvent): boolean {
  if (by.type === "run") return !LASTING.has(earlier.type);
  if (STATES.has(by.type)) return earlier.type === by.type;
  // A finished step says all that was said of it before.
  return by.type === "step" && "step" in earlier && earlier.step === by.step;
}
