/** Zero crossings of the sinc on each side. */
const CROSSINGS = 32;
/** Kaiser's window: about 100 dB between pass band and stop band. */
const BETA = 10;
/** Of the smaller Nyquist frequency: the filter is down before it. */
const ROLL_OFF = 0.945;

/**
 * Resamples mono sound by a band-limited sinc (J. O. Smith, "Digital Audio Resampling"); outside the sound is silence. Returns
 * `ceil(samples · to / from)` samples.
 */
export function resample(samples: Float32Array<ArrayBuffer>, fromHz: number, toHz: number): Float32Array<ArrayBuffer> {
  if (fromHz === toHz) return samples;
  const divisor = greatestCommonDivisor(fromHz, toHz);
  const up = toHz / divisor;
  const down = fromHz / divisor;
  const cutoff = ROLL_OFF * Math.min(1, toHz / fromHz);
  const reach = Math.ceil(CROSSINGS / cutoff);
  // The distance of an output sample from its neighbours repeats every `up` samples.
  const phases: (Float64Array | undefined)[] = [];
  const out = new Float32Array(Math.ceil((samples.length * up) / down));
  for (let i = 0; i < out.length; i++) {
    const position = i * down;
    const phase = position % up;
    const centre = (position - phase) / up;
    const taps = (phases[phase] ??= tapsAt(phase / up, reach, cutoff));
    const first = centre - reach + 1;
    const last = Math.min(taps.length, samples.length - first);
    let sum = 0;
    for (let tap = Math.max(0, -first); tap < last; tap++) sum += samples[first + tap]! * taps[tap]!;
    out[i] = sum;
  }
  return out;
}

/** Weights of the 2 · reach samples around a place that is `fraction` after the middle one, with a sum of 1. */
function tapsAt(fraction: number, reach: number, cutoff: number): Float64Array {
  const taps = Float64Array.from({ length: 2 * reach }, (_, i) => {
    const distance = i - reach + 1 - fraction;
    const x = Math.PI * cutoff * distance;
    const window = bessel(BETA * Math.sqrt(Math.max(0, 1 - (distance / reach) ** 2))) / bessel(BETA);
    return window * (x === 0 ? 1 : Math.sin(x) / x);
  });
  const sum = taps.reduce((total, tap) => total + tap, 0);
  return taps.map((tap) => tap / sum);
}

/** Modified Bessel function of the first kind, order 0, by its power series. */
function bessel(x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-16; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
