import { Fft } from "./fft.js";

// Whisper's input (arXiv:2212.04356): log10 of the mel spectrum. Reference: transformers 5.23, WhisperFeatureExtractor.

export const SAMPLE_RATE = 16_000;
/** Samples between two frames: 10 ms. */
export const HOP_LENGTH = 160;
/** Samples of a frame. */
export const WINDOW_LENGTH = 400;
const BINS = WINDOW_LENGTH / 2 + 1;
const LEAST_POWER = 1e-10;
/** What a frame without any sound has for every mel, before it is scaled. */
export const SILENT = Math.log10(LEAST_POWER);
/** What lies further below the loudest, in powers of ten, is raised to this. */
const DYNAMIC_RANGE = 8;

/** One triangle of the filter bank: weights of consecutive frequency bins. */
export interface MelFilter {
  start: number;
  weights: Float64Array;
}

/** Log-mel features `[frames, mels]`, row-major, one frame for every 160 samples. */
export interface LogMel {
  data: Float32Array<ArrayBuffer>;
  frames: number;
  mels: number;
}

/** Slaney's mel scale: linear up to 1 kHz, logarithmic above (Auditory Toolbox, 1998). */
function melOfHertz(hertz: number): number {
  return hertz < 1000 ? (3 * hertz) / 200 : 15 + (Math.log(hertz / 1000) * 27) / Math.log(6.4);
}

function hertzOfMel(mel: number): number {
  return mel < 15 ? (200 * mel) / 3 : 1000 * Math.exp(((mel - 15) * Math.log(6.4)) / 27);
}

/** Triangles on the mel scale from 0 to 8 kHz, of equal area each (Slaney's normalisation). */
export function melFilters(mels: number): MelFilter[] {
  const top = melOfHertz(SAMPLE_RATE / 2);
  const corners = Array.from({ length: mels + 2 }, (_, i) => hertzOfMel((top * i) / (mels + 1)));
  return Array.from({ length: mels }, (_, mel) => {
    const [low, centre, high] = corners.slice(mel, mel + 3) as [number, number, number];
    const every = Array.from({ length: BINS }, (_, bin) => {
      const hertz = (bin * SAMPLE_RATE) / WINDOW_LENGTH;
      return (Math.max(0, Math.min((hertz - low) / (centre - low), (high - hertz) / (high - centre))) * 2) / (high - low);
    });
    const start = Math.max(0, every.findIndex((weight) => weight > 0));
    return { start, weights: Float64Array.from(every.slice(start, every.findLastIndex((weight) => weight > 0) + 1)) };
  });
}

/**
 * Log-mel features of mono sound at 16 kHz, `floor(samples / 160)` frames. `padTo` adds silence at the end up to so many samples.
 * The scale depends on the loudest frame of the whole.
 */
export function logMel(samples: Float32Array, mels: number, padTo = 0): LogMel {
  const length = Math.max(samples.length, padTo);
  const frames = Math.floor(length / HOP_LENGTH);
  const data = new Float32Array(frames * mels);
  scaleLogMel(data, new MelSpectrum(mels).write(samples, { from: 0, to: frames, length }, data));
  return { data, frames, mels };
}

/** log10 of mel powers to features: what is too far below the loudest is raised, then all is brought near [-1, 1]. In place. */
export function scaleLogMel(data: Float32Array, loudest: number): void {
  for (let i = 0; i < data.length; i++) data[i] = (Math.max(data[i]!, loudest - DYNAMIC_RANGE) + 4) / 4;
}

/** Computes log10 of mel powers, any frames of a sound at a time. */
export class MelSpectrum {
  readonly #mels: number;
  readonly #filters: MelFilter[];
  readonly #fft = new Fft(WINDOW_LENGTH);
  readonly #window = Float64Array.from({ length: WINDOW_LENGTH }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / WINDOW_LENGTH));
  readonly #re = new Float64Array(WINDOW_LENGTH);
  readonly #im = new Float64Array(WINDOW_LENGTH);
  readonly #outRe = new Float64Array(WINDOW_LENGTH);
  readonly #outIm = new Float64Array(WINDOW_LENGTH);
  readonly #power = new Float64Array(BINS);

  constructor(mels: number) {
    this.#mels = mels;
    this.#filters = melFilters(mels);
  }

  /**
   * Writes frames [from, to) of a sound of `length` samples, silent after those given, to the beginning of `into`, row-major
   * `[frames, mels]`. Returns the loudest value.
   */
  write(samples: Float32Array, { from, to, length = samples.length }: { from: number; to: number; length?: number }, into: Float32Array): number {
    let loudest = -Infinity;
    for (let frame = from; frame < to; frame += 2) {
      // Two real frames share one transform: the even part of the spectrum is the first, the odd part the second.
      const pair = frame + 1 < to;
      fill(this.#re, samples, length, frame, this.#window);
      if (pair) fill(this.#im, samples, length, frame + 1, this.#window);
      else this.#im.fill(0);
      this.#fft.transform(this.#re, this.#im, this.#outRe, this.#outIm);
      const at = (frame - from) * this.#mels;
      loudest = Math.max(loudest, this.#writeFrame(1, into, at));
      if (pair) loudest = Math.max(loudest, this.#writeFrame(-1, into, at + this.#mels));
    }
    return loudest;
  }

  #writeFrame(sign: 1 | -1, into: Float32Array, at: number): number {
    const [re, im, power] = [this.#outRe, this.#outIm, this.#power];
    for (let k = 0; k < BINS; k++) {
      const mirror = (WINDOW_LENGTH - k) % WINDOW_LENGTH;
      power[k] = ((re[k]! + sign * re[mirror]!) ** 2 + (im[k]! - sign * im[mirror]!) ** 2) / 4;
    }
    let loudest = -Infinity;
    this.#filters.forEach(({ start, weights }, mel) => {
      let sum = 0;
      for (let i = 0; i < weights.length; i++) sum += weights[i]! * power[start + i]!;
      const value = Math.log10(Math.max(sum, LEAST_POWER));
      loudest = Math.max(loudest, value);
      into[at + mel] = value;
    });
    return loudest;
  }
}

/** The windowed samples around `frame · 160`, mirrored at both ends of the sound. */
function fill(into: Float64Array, samples: Float32Array, length: number, frame: number, window: Float64Array): void {
  const first = frame * HOP_LENGTH - WINDOW_LENGTH / 2;
  for (let i = 0; i < WINDOW_LENGTH; i++) {
    const at = mirrored(first + i, length);
    into[i] = (samples[at] ?? 0) * window[i]!;
  }
}

function mirrored(index: number, length: number): number {
  if (index >= 0 && index < length) return index;
  const period = Math.max(1, 2 * (length - 1));
  const within = ((index % period) + period) % period;
  return within < length ? within : period - within;
}
