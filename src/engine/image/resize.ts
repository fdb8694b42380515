import type { DecodedImage } from "./decode.js";
import type { PixelSize } from "./smart-resize.js";

/** Weights are integers in units of 2^-22, so that eight-bit sums with overshoot still fit in 32 bits. */
const PRECISION_BITS = 22;
const HALF = 1 << (PRECISION_BITS - 1);
const CUBIC_RADIUS = 2;
const CHANNELS = 3;

interface AxisWeights {
  /** First source index of each output position. */
  starts: Int32Array;
  /** How many source positions each output position reads. */
  counts: Int32Array;
  /** Row-major `[outputSize, stride]`. */
  weights: Int32Array;
  stride: number;
}

/**
 * Antialiased bicubic resize (a = -0.5), columns first, rounded to eight bits after each pass: Pillow's `resize(…, BICUBIC)` bit for bit, and
 * within two levels of torchvision, because the vision models were trained on their output. sharp's cubic kernel is up to 220 levels off where
 * it enlarges. Pillow 13 takes the rows first where the height shrinks much more than the width; earlier ones and torchvision never do.
 * Source of the arithmetic: Pillow's `src/libImaging/Resample.c`.
 */
export function resizeBicubic(image: DecodedImage, size: PixelSize): DecodedImage {
  let { data } = image;
  if (size.widthPx !== image.widthPx) data = resizeColumns(data, image, size.widthPx);
  if (size.heightPx !== image.heightPx) data = resizeRows(data, size.widthPx, image.heightPx, size.heightPx);
  return { data, widthPx: size.widthPx, heightPx: size.heightPx };
}

/** `[H, W, 3]` to `[H, outWidth, 3]`. */
function resizeColumns(source: Uint8Array, { widthPx, heightPx }: PixelSize, outWidth: number): Uint8Array {
  const { starts, counts, weights, stride } = axisWeights(widthPx, outWidth);
  const out = new Uint8Array(heightPx * outWidth * CHANNELS);
  let o = 0;
  for (let y = 0; y < heightPx; y++) {
    const row = y * widthPx * CHANNELS;
    for (let x = 0; x < outWidth; x++) {
      let red = HALF;
      let green = HALF;
      let blue = HALF;
      let from = row + starts[x]! * CHANNELS;
      const end = x * stride + counts[x]!;
      for (let k = x * stride; k < end; k++, from += CHANNELS) {
        const weight = weights[k]!;
        red = (red + Math.imul(source[from]!, weight)) | 0;
        green = (green + Math.imul(source[from + 1]!, weight)) | 0;
        blue = (blue + Math.imul(source[from + 2]!, weight)) | 0;
      }
      out[o++] = toByte(red);
      out[o++] = toByte(green);
      out[o++] = toByte(blue);
    }
  }
  return out;
}

/** `[height, W, 3]` to `[outHeight, W, 3]`. */
function resizeRows(source: Uint8Array, widthPx: number, height: number, outHeight: number): Uint8Array {
  const { starts, counts, weights, stride } = axisWeights(height, outHeight);
  const rowLength = widthPx * CHANNELS;
  const out = new Uint8Array(outHeight * rowLength);
  const sums = new Int32Array(rowLength);
  for (let y = 0; y < outHeight; y++) {
    sums.fill(HALF);
    for (let k = 0; k < counts[y]!; k++) {
      const weight = weights[y * stride + k]!;
      const from = (starts[y]! + k) * rowLength;
      for (let i = 0; i < rowLength; i++) sums[i] = sums[i]! + Math.imul(source[from + i]!, weight);
    }
    const to = y * rowLength;
    for (let i = 0; i < rowLength; i++) out[to + i] = toByte(sums[i]!);
  }
  return out;
}

function toByte(sum: number): number {
  const value = sum >> PRECISION_BITS;
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

function axisWeights(inSize: number, outSize: number): AxisWeights {
  const scale = inSize / outSize;
  // Shrinking widens the kernel to cover every source pixel: that is the antialiasing.
  const filterScale = Math.max(scale, 1);
  const support = CUBIC_RADIUS * filterScale;
  const stride = Math.ceil(support) * 2 + 1;
  const starts = new Int32Array(outSize);
  const counts = new Int32Array(outSize);
  const weights = new Int32Array(outSize * stride);
  const row = new Float64Array(stride);
  for (let i = 0; i < outSize; i++) {
    const center = (i + 0.5) * scale;
    const start = Math.max(Math.trunc(center - support + 0.5), 0);
    const count = Math.min(Math.trunc(center + support + 0.5), inSize) - start;
    let total = 0;
    for (let k = 0; k < count; k++) {
      const weight = cubic((k + start - center + 0.5) * (1 / filterScale));
      row[k] = weight;
      total += weight;
    }
    for (let k = 0; k < count; k++) {
      const scaled = (row[k]! / total) * 2 ** PRECISION_BITS;
      weights[i * stride + k] = Math.trunc(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
    }
    starts[i] = start;
    counts[i] = count;
  }
  return { starts, counts, weights, stride };
}

/** Keys' cubic convolution kernel with a = -0.5. */
function cubic(x: number): number {
  const a = -0.5;
  const d = Math.abs(x);
  if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  if (d < 2) return (((d - 5) * d + 8) * d - 4) * a;
  return 0;
}
