import { joined, RATE } from "../voice/samples.js";
import type { Frame } from "./frame-slot.js";

/** Between two frames that go into one request. */
const SPACING_MS = 1_000;
/** So much sound goes with a comment. */
const MAX_SOUND_S = 10;

/** The newest frame, and before it a few that lie a second or more apart. */
export class RecentFrames {
  readonly #count: number;
  #earlier: Frame[] = [];
  #newest: Frame | undefined;

  constructor(count: number) {
    this.#count = count;
  }

  push(frame: Frame): void {
    const last = this.#earlier.at(-1);
    if (this.#newest !== undefined && (last === undefined || this.#newest.at.getTime() - last.at.getTime() >= SPACING_MS)) this.#earlier = [...this.#earlier, this.#newest].slice(-this.#count);
    this.#newest = frame;
  }

  /** In the order in which they came; the newest is always the last. */
  get frames(): Frame[] {
    const newest = this.#newest;
    if (newest === undefined) return [];
    const before = this.#earlier.filter((frame) => newest.at.getTime() - frame.at.getTime() >= SPACING_MS);
    return [...before.slice(Math.max(0, before.length + 1 - this.#count)), newest];
  }
}

/** The last seconds of a microphone, since they were last taken. */
export class RecentSound {
  #parts: Int16Array[] = [];
  #length = 0;

  push(samples: Int16Array): void {
    this.#parts.push(samples);
    this.#length += samples.length;
    while (this.#length - (this.#parts[0]?.length ?? 0) >= MAX_SOUND_S * RATE) this.#length -= this.#parts.shift()?.length ?? 0;
  }

  /** Undefined when there was none, or nothing but zeros. */
  take(): Int16Array | undefined {
    const sound = joined(this.#parts).slice(-MAX_SOUND_S * RATE);
    this.#parts = [];
    this.#length = 0;
    return sound.some((sample) => sample !== 0) ? sound : undefined;
  }
}
