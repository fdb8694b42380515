import { joined, RATE } from "./samples.js";
import type { Segmenter } from "./segmenter.js";

/** People speak a moment before they have pressed the key. */
const PRE_ROLL = 0.3 * RATE;
/** Whisper hears 30 s at once. */
const MOST = 28 * RATE;

/** What is said between two presses of a key. */
export class PushToTalk implements Segmenter {
  #kept = new Int16Array(0);
  #talking = false;
  #released = false;

  get talking(): boolean {
    return this.#talking;
  }

  toggle(): void {
    this.#released = this.#talking;
    this.#talking = !this.#talking;
  }

  push(samples: Int16Array): Int16Array[] {
    const all = joined([this.#kept, samples]);
    if (this.#talking && all.length < MOST) {
      this.#kept = all;
      return [];
    }
    const full = this.#talking;
    const done = full || this.#released;
    this.#released = false;
    this.#kept = done ? new Int16Array(0) : all.slice(-PRE_ROLL);
    return done ? [all] : [];
  }

  end(): Int16Array[] {
    return this.#talking || this.#released ? [this.#kept] : [];
  }
}
