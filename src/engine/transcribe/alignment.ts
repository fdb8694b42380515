/** A row-major matrix for each of several attention heads, `[heads, rows, columns]`. */
export interface HeadMatrices {
  data: Float32Array;
  heads: number;
  rows: number;
  columns: number;
}

/**
 * When each of a window's tokens was said, from how much it attends to each step of the sound: weights are normalised over the
 * tokens, smoothed along the sound, averaged over heads, and the best monotone path through them is taken
 * (transformers 5.23, `_extract_token_timestamps`). One time a row, in columns.
 * @param weights attention of the heads that follow the sound.
 */
export function tokenTimes(weights: HeadMatrices, medianWidth: number): number[] {
  const { heads, rows, columns } = weights;
  if (rows === 0 || columns === 0) return Array.from({ length: rows }, () => 0);
  const cost = new Float64Array(rows * columns);
  for (let head = 0; head < heads; head++) {
    const own = weights.data.subarray(head * rows * columns, (head + 1) * rows * columns);
    const drawn = medianFilter(normalised(own, rows, columns), rows, columns, medianWidth);
    for (let i = 0; i < cost.length; i++) cost[i]! -= drawn[i]! / heads;
  }
  const times = new Array<number>(rows).fill(0);
  // The path goes backwards, so a row's first column is what it leaves behind.
  for (const [row, column] of warpingPath(cost, rows, columns)) times[row] = column;
  return times;
}

/** Each column's values with mean 0 and deviation 1. */
function normalised(matrix: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(matrix.length);
  for (let column = 0; column < columns; column++) {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += matrix[row * columns + column]!;
    const mean = sum / rows;
    let squares = 0;
    for (let row = 0; row < rows; row++) squares += (matrix[row * columns + column]! - mean) ** 2;
    // A single token, or one no different from the others, says nothing of the time.
    const deviation = Math.sqrt(squares / rows) || 1;
    for (let row = 0; row < rows; row++) out[row * columns + column] = (matrix[row * columns + column]! - mean) / deviation;
  }
  return out;
}

/** The median of `width` neighbours along each row, which is mirrored at its ends. Rows shorter than half of that stay as they are. */
export function medianFilter(matrix: Float32Array, rows: number, columns: number, width: number): Float32Array {
  const reach = Math.floor(width / 2);
  if (columns <= reach) return matrix;
  const out = new Float32Array(matrix.length);
  const window = new Float32Array(width);
  for (let row = 0; row < rows; row++) {
    const at = row * columns;
    for (let column = 0; column < columns; column++) {
      for (let i = 0; i < width; i++) {
        const index = Math.abs(column + i - reach);
        window[i] = matrix[at + (index < columns ? index : 2 * (columns - 1) - index)]!;
      }
      out[at + column] = window.sort()[reach]!;
    }
  }
  return out;
}

/**
 * Dynamic time warping (Sakoe & Chiba 1978): the cheapest way from the first row and column to the last, each step going to the
 * next row, the next column or both. Returned from its end to its beginning.
 */
export function warpingPath(cost: Float64Array, rows: number, columns: number): [number, number][] {
  const width = columns + 1;
  // float32, as in the reference: of two ways equally cheap, it must be the same one.
  const total = new Float32Array((rows + 1) * width).fill(Infinity);
  const from = new Uint8Array((rows + 1) * width);
  total[0] = 0;
  for (let column = 1; column <= columns; column++) {
    for (let row = 1; row <= rows; row++) {
      const both = total[(row - 1) * width + column - 1]!;
      const up = total[(row - 1) * width + column]!;
      const left = total[row * width + column - 1]!;
      const step = both < up && both < left ? BOTH : up < both && up < left ? UP : LEFT;
      from[row * width + column] = step;
      total[row * width + column] = cost[(row - 1) * columns + column - 1]! + (step === BOTH ? both : step === UP ? up : left);
    }
  }
  const path: [number, number][] = [];
  for (let row = rows, column = columns; row > 0 && column > 0; ) {
    path.push([row - 1, column - 1]);
    const step = from[row * width + column];
    if (step !== LEFT) row--;
    if (step !== UP) column--;
  }
  return path;
}

const BOTH = 0;
const UP = 1;
const LEFT = 2;
