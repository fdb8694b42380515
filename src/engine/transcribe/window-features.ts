import { setImmediate as nextTurn } from "node:timers/promises";
import { throwIfAborted } from "../../core/errors.js";
import { HOP_LENGTH, MelSpectrum, scaleLogMel, SILENT, WINDOW_LENGTH } from "../audio/log-mel.js";

/** Frames computed before others get a turn. */
const SLICE = 3000;

/**
 * Log-mel features of a sound, window by window: an hour's would be 100 MB and more. Their scale depends on the loudest frame of
 * the whole, which is found beforehand. As in transformers, what follows a sound that fits into one window is silence, which models
 * are trained with, and what follows a longer one in its last window is zeros.
 */
export class WindowFeatures {
  /** Of the whole sound, 10 ms each. */
  readonly frames: number;
  readonly #samples: Float32Array;
  readonly #mels: number;
  readonly #windowFrames: number;
  /** Samples, with the silence after them. */
  readonly #length: number;
  /** Frames that any sound reaches into. */
  readonly #sounding: number;
  readonly #spectrum: MelSpectrum;
  #loudest = -Infinity;

  private constructor(samples: Float32Array, mels: number, windowFrames: number) {
    this.frames = Math.floor(samples.length / HOP_LENGTH);
    this.#samples = samples;
    this.#mels = mels;
    this.#windowFrames = windowFrames;
    this.#length = this.frames > windowFrames ? samples.length : Math.max(samples.length, windowFrames * HOP_LENGTH);
    this.#sounding = Math.min(Math.floor(this.#length / HOP_LENGTH), Math.ceil((samples.length + WINDOW_LENGTH / 2) / HOP_LENGTH));
    this.#spectrum = new MelSpectrum(mels);
  }

  /** @param samples mono at 16 kHz. */
  static async of(samples: Float32Array, mels: number, windowFrames: number, { signal }: { signal?: AbortSignal } = {}): Promise<WindowFeatures> {
    const features = new WindowFeatures(samples, mels, windowFrames);
    const slice = new Float32Array(Math.min(SLICE, features.#sounding) * mels);
    for (let from = 0; from < features.#sounding; from += SLICE) {
      throwIfAborted(signal);
      features.#loudest = Math.max(features.#loudest, features.#write(from, Math.min(from + SLICE, features.#sounding), slice));
      await nextTurn();
    }
    return features;
  }

  /** `[windowFrames, mels]` from frame `start` on. */
  window(start: number): Float32Array<ArrayBuffer> {
    const frames = Math.min(this.#windowFrames, Math.floor(this.#length / HOP_LENGTH) - start);
    const sounding = Math.min(frames, this.#sounding - start);
    const features = new Float32Array(this.#windowFrames * this.#mels);
    this.#write(start, start + sounding, features);
    features.fill(SILENT, sounding * this.#mels, frames * this.#mels);
    scaleLogMel(features.subarray(0, frames * this.#mels), this.#loudest);
    return features;
  }

  #write(from: number, to: number, into: Float32Array): number {
    return this.#spectrum.write(this.#samples, { from, to, length: this.#length }, into);
  }
}
