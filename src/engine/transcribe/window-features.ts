import { setImmediate as nextTurn } from "node:timers/promises";
import { throwIfAborted } from "../../core/errors.js";
import { HOP_LENGTH, MelSpectrum, scaleLogMel } from "../audio/log-mel.js";

/** Frames computed before others get a turn. */
const SLICE = 3000;

/**
 * Log-mel features of a sound, window by window: an hour's would be 100 MB and more. Their scale depends on the loudest frame of
 * the whole, which is found beforehand.
 */
export class WindowFeatures {
  /** Of the whole sound, 10 ms each. */
  readonly frames: number;
  readonly #samples: Float32Array;
  readonly #mels: number;
  readonly #spectrum: MelSpectrum;
  readonly #loudest: number;

  private constructor(samples: Float32Array, mels: number, spectrum: MelSpectrum, loudest: number) {
    this.frames = framesOf(samples);
    this.#samples = samples;
    this.#mels = mels;
    this.#spectrum = spectrum;
    this.#loudest = loudest;
  }

  /** @param samples mono at 16 kHz. */
  static async of(samples: Float32Array, mels: number, { signal }: { signal?: AbortSignal } = {}): Promise<WindowFeatures> {
    const spectrum = new MelSpectrum(mels);
    const frames = framesOf(samples);
    const slice = new Float32Array(Math.min(SLICE, frames) * mels);
    let loudest = -Infinity;
    for (let from = 0; from < frames; from += SLICE) {
      throwIfAborted(signal);
      loudest = Math.max(loudest, spectrum.write(samples, { from, to: Math.min(from + SLICE, frames) }, slice));
      await nextTurn();
    }
    return new WindowFeatures(samples, mels, spectrum, loudest);
  }

  /** `[length, mels]` from frame `start` on; zeros after the sound's end. */
  window(start: number, length: number): Float32Array<ArrayBuffer> {
    const end = Math.min(start + length, this.frames);
    const features = new Float32Array(length * this.#mels);
    this.#spectrum.write(this.#samples, { from: start, to: end }, features);
    scaleLogMel(features.subarray(0, (end - start) * this.#mels), this.#loudest);
    return features;
  }
}

function framesOf(samples: Float32Array): number {
  return Math.floor(samples.length / HOP_LENGTH);
}
