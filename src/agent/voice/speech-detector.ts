import { joined, RATE } from "./samples.js";
import type { Segmenter } from "./segmenter.js";

/** 20 ms. */
const FRAME = RATE / 50;
/** So many frames before the first loud one are kept: consonants begin quietly. 300 ms. */
const PRE_ROLL = 15;
/** Speech begins with so many loud frames in a row of so many. */
const BEGIN_LOUD = 5;
const BEGIN_SPAN = 8;
/** It is over after 700 ms of quiet: longer than the pauses inside a command. */
const END_QUIET = 35;
/** Longer stretches are cut: Whisper hears 30 s at once. */
const MOST_FRAMES = 28 * 50;
/** How loud speech is above the noise, and at least, in dB (full scale is 0). */
const ABOVE_NOISE_DB = 9;
const LEAST_DB = -52;
/** The noise is the quietest of the last 1.6 s: people pause or close their lips within that time, machines do not. */
const NOISE_FRAMES = 80;
const EMPHASIS = 0.95;

/**
 * Finds speech by loudness above a noise floor that follows the room. Loudness is that of the signal with its low frequencies taken
 * back (pre-emphasis): rumble, hum and offsets count little, consonants much. Steady noise becomes the floor; one that begins suddenly
 * passes for speech until it has, and the model then hears nothing in it.
 */
export class SpeechDetector implements Segmenter {
  #rest = new Int16Array(0);
  #last = 0;
  /** Energies of the last frames, to smooth over three, and the smoothed ones in dB. */
  readonly #energies: number[] = [];
  readonly #levels: number[] = [];
  #loud: boolean[] = [];
  #kept: Int16Array[] = [];
  #quiet = 0;
  #speaking = false;
  #sound = false;

  /** Whether there was anything but zeros so far. */
  get heardSound(): boolean {
    return this.#sound;
  }

  push(samples: Int16Array): Int16Array[] {
    const all = joined([this.#rest, samples]);
    const found: Int16Array[] = [];
    let at = 0;
    for (; at + FRAME <= all.length; at += FRAME) {
      const done = this.#frame(all.slice(at, at + FRAME));
      if (done) found.push(done);
    }
    this.#rest = all.slice(at);
    return found;
  }

  end(): Int16Array[] {
    return this.#speaking ? [this.#finish()] : [];
  }

  #frame(frame: Int16Array): Int16Array | undefined {
    const loud = this.#isLoud(frame);
    this.#kept.push(frame);
    if (!this.#speaking) {
      this.#loud = [...this.#loud, loud].slice(-BEGIN_SPAN);
      this.#kept = this.#kept.slice(-PRE_ROLL - BEGIN_SPAN);
      if (this.#loud.filter(Boolean).length >= BEGIN_LOUD) this.#speaking = true;
      return undefined;
    }
    this.#quiet = loud ? 0 : this.#quiet + 1;
    return this.#quiet >= END_QUIET || this.#kept.length >= MOST_FRAMES ? this.#finish() : undefined;
  }

  #finish(): Int16Array {
    const speech = joined(this.#kept);
    this.#kept = [];
    this.#loud = [];
    this.#quiet = 0;
    this.#speaking = false;
    return speech;
  }

  #isLoud(frame: Int16Array): boolean {
    let energy = 0;
    for (const sample of frame) {
      const change = (sample - EMPHASIS * this.#last) / 32768;
      this.#last = sample;
      energy += change * change;
      this.#sound ||= sample !== 0;
    }
    keep(this.#energies, energy / frame.length, 3);
    const mean = this.#energies.reduce((sum, one) => sum + one, 0) / this.#energies.length;
    const level = 10 * Math.log10(mean + 1e-12);
    keep(this.#levels, level, NOISE_FRAMES);
    return level > Math.max(LEAST_DB, Math.min(...this.#levels) + ABOVE_NOISE_DB);
  }
}

function keep(values: number[], value: number, count: number): void {
  values.push(value);
  if (values.length > count) values.shift();
}
