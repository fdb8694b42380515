const LONGEST = 10_000;

/**
 * Positions `[length, dims]` as sines, then cosines, of wavelengths from 2π to 10,000 · 2π (arXiv:1706.03762), in float32 at
 * every step, as the references compute them.
 */
export function sinusoids(length: number, dims: number): Float32Array<ArrayBuffer> {
  const half = dims / 2;
  const step = Math.fround(-Math.log(LONGEST) / (half - 1));
  const table = new Float32Array(length * dims);
  for (let i = 0; i < half; i++) {
    const frequency = Math.fround(Math.exp(Math.fround(step * i)));
    for (let row = 0; row < length; row++) {
      const angle = Math.fround(row * frequency);
      table[row * dims + i] = Math.sin(angle);
      table[row * dims + half + i] = Math.cos(angle);
    }
  }
  return table;
}
