/**
 * Discrete Fourier transform of a fixed length by mixed radices (Cooley & Tukey 1965), in float64. Fast where the length has
 * small prime factors.
 */
export class Fft {
  readonly length: number;
  readonly #factors: readonly number[];
  readonly #cos: Float64Array;
  readonly #sin: Float64Array;
  readonly #re: Float64Array;
  readonly #im: Float64Array;

  constructor(length: number) {
    this.length = length;
    this.#factors = factorsOf(length);
    this.#cos = Float64Array.from({ length }, (_, i) => Math.cos((2 * Math.PI * i) / length));
    this.#sin = Float64Array.from({ length }, (_, i) => -Math.sin((2 * Math.PI * i) / length));
    const largest = Math.max(...this.#factors);
    this.#re = new Float64Array(largest);
    this.#im = new Float64Array(largest);
  }

  /** Transforms `re + i·im`, each of `length`, into `outRe + i·outIm`. */
  transform(re: Float64Array, im: Float64Array, outRe: Float64Array, outIm: Float64Array): void {
    this.#part(re, im, 0, 1, outRe, outIm, 0, this.length, 0);
  }

  /** The transform of every `stride`th value from `from`, written at `to`. */
  #part(re: Float64Array, im: Float64Array, from: number, stride: number, outRe: Float64Array, outIm: Float64Array, to: number, size: number, level: number): void {
    if (size === 1) {
      outRe[to] = re[from]!;
      outIm[to] = im[from]!;
      return;
    }
    const radix = this.#factors[level]!;
    const part = size / radix;
    for (let i = 0; i < radix; i++) this.#part(re, im, from + i * stride, stride * radix, outRe, outIm, to + i * part, part, level + 1);
    for (let k = 0; k < part; k++) this.#butterfly(outRe, outIm, to + k, k * stride, radix, part);
  }

  /** Joins the `radix` values that lie `part` apart from `at`, turned by multiples of `turn`. */
  #butterfly(outRe: Float64Array, outIm: Float64Array, at: number, turn: number, radix: number, part: number): void {
    const re = this.#re;
    const im = this.#im;
    for (let i = 0; i < radix; i++) {
      const x = outRe[at + i * part]!;
      const y = outIm[at + i * part]!;
      const c = this.#cos[i * turn]!;
      const s = this.#sin[i * turn]!;
      re[i] = x * c - y * s;
      im[i] = x * s + y * c;
    }
    const step = this.length / radix;
    for (let q = 0; q < radix; q++) {
      let sumRe = 0;
      let sumIm = 0;
      for (let i = 0; i < radix; i++) {
        const angle = ((i * q) % radix) * step;
        sumRe += re[i]! * this.#cos[angle]! - im[i]! * this.#sin[angle]!;
        sumIm += re[i]! * this.#sin[angle]! + im[i]! * this.#cos[angle]!;
      }
      outRe[at + q * part] = sumRe;
      outIm[at + q * part] = sumIm;
    }
  }
}

/** Prime factors, pairs of twos joined: a radix of 4 takes fewer steps. */
function factorsOf(length: number): number[] {
  const factors: number[] = [];
  let rest = length;
  for (const radix of [4, 2]) for (; rest % radix === 0; rest /= radix) factors.push(radix);
  for (let radix = 3; rest > 1; radix += 2) for (; rest % radix === 0; rest /= radix) factors.push(radix);
  return factors.length === 0 ? [1] : factors;
}
