import type { DecodedImage } from "./decode.js";
import type { PixelSize } from "./smart-resize.js";

/** Pillow's weights are integers in units of 2^-22, so that eight-bit sums with overshoot still fit in 32 bits. */
const PRECISION_BITS = 22;
const CHANNELS = 3;

/** A resampling kernel, zero from `radius` source pixels on. */
interface Kernel {
  radius: number;
  at(x: number): number;
}

interface AxisWeights {
  /** First source index of each output position. */
  starts: Int32Array;
  /** How many source positions each output position reads. */
  counts: Int32Array;
  /** Row-major `[outputSize, stride]`, in units of 2^-bits. */
  weights: Int32Array;
  stride: number;
  bits: number;
}

/** How fine the weights are, given the largest of an axis. */
type Precision = (largest: number) => number;

/**
 * Antialiased bicubic resize (a = -0.5), columns first, rounded to eight bits after each pass: Pillow's `resize(…, BICUBIC)` bit for bit up to
 * version 12, because the vision models were trained on its output. torchvision, which transformers' processors use by default, takes columns
 * first as well: one value in 250 differs by one level, for its weights are coarser. Pillow 13 takes the rows first where the height shrinks much
 * more than the width, which moves a fifth of the values by one or two levels; the default processors do not. sharp's cubic kernel is up to 220
 * levels off where it enlarges. Source of the arithmetic: Pillow's `src/libImaging/Resample.c`.
 */
export function resizeBicubic(image: DecodedImage, size: PixelSize): DecodedImage {
  return resize(image, size, CUBIC);
}

/** Antialiased Lanczos resize (three lobes): Pillow's `resize(…, LANCZOS)` bit for bit, with the same arithmetic as `resizeBicubic`. */
export function resizeLanczos(image: DecodedImage, size: PixelSize): DecodedImage {
  return resize(image, size, LANCZOS);
}

/** Antialiased bilinear resize: Pillow's `resize(…, BILINEAR)` bit for bit, with the same arithmetic as `resizeBicubic`. */
export function resizeBilinear(image: DecodedImage, size: PixelSize): DecodedImage {
  return resize(image, size, TRIANGLE);
}

/**
 * Antialiased bicubic resize with weights of 16 bits: torchvision's of eight-bit pictures on a CPU bit for bit, which the video processors
 * use. Source of the arithmetic: PyTorch's `aten/src/ATen/native/cpu/UpSampleKernel.cpp`.
 */
export function resizeBicubic16(image: DecodedImage, size: PixelSize): DecodedImage {
  return resize(image, size, CUBIC, (largest) => {
    let bits = 0;
    while (bits < PRECISION_BITS && Math.trunc(0.5 + largest * 2 ** (bits + 1)) < 2 ** 15) bits++;
    return bits;
  });
}

function resize(image: DecodedImage, size: PixelSize, kernel: Kernel, precision: Precision = () => PRECISION_BITS): DecodedImage {
  let { data } = image;
  if (size.widthPx !== image.widthPx) data = resizeColumns(data, image, axisWeights(image.widthPx, size.widthPx, kernel, precision));
  if (size.heightPx !== image.heightPx) data = resizeRows(data, size.widthPx, axisWeights(image.heightPx, size.heightPx, kernel, precision));
  return { data, widthPx: size.widthPx, heightPx: size.heightPx };
}

/** `[H, W, 3]` to `[H, outWidth, 3]`. */
function resizeColumns(source: Uint8Array, { widthPx, heightPx }: PixelSize, { starts, counts, weights, stride, bits }: AxisWeights): Uint8Array {
  const outWidth = starts.length;
  const half = 2 ** (bits - 1);
  const out = new Uint8Array(heightPx * outWidth * CHANNELS);
  let o = 0;
  for (let y = 0; y < heightPx; y++) {
    const row = y * widthPx * CHANNELS;
    for (let x = 0; x < outWidth; x++) {
      let red = half;
      let green = half;
      let blue = half;
      let from = row + starts[x]! * CHANNELS;
      const end = x * stride + counts[x]!;
      for (let k = x * stride; k < end; k++, from += CHANNELS) {
        const weight = weights[k]!;
        red = (red + Math.imul(source[from]!, weight)) | 0;
        green = (green + Math.imul(source[from + 1]!, weight)) | 0;
        blue = (blue + Math.imul(source[from + 2]!, weight)) | 0;
      }
      out[o++] = toByte(red >> bits);
      out[o++] = toByte(green >> bits);
      out[o++] = toByte(blue >> bits);
    }
  }
  return out;
}

/** `[height, W, 3]` to `[outHeight, W, 3]`. */
function resizeRows(source: Uint8Array, widthPx: number, { starts, counts, weights, stride, bits }: AxisWeights): Uint8Array {
  const outHeight = starts.length;
  const rowLength = widthPx * CHANNELS;
  const out = new Uint8Array(outHeight * rowLength);
  const sums = new Int32Array(rowLength);
  for (let y = 0; y < outHeight; y++) {
    sums.fill(2 ** (bits - 1));
    for (let k = 0; k < counts[y]!; k++) {
      const weight = weights[y * stride + k]!;
      const from = (starts[y]! + k) * rowLength;
      for (let i = 0; i < rowLength; i++) sums[i] = sums[i]! + Math.imul(source[from + i]!, weight);
    }
    const to = y * rowLength;
    for (let i = 0; i < rowLength; i++) out[to + i] = toByte(sums[i]! >> bits);
  }
  return out;
}

function toByte(value: number): number {
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

function axisWeights(inSize: number, outSize: number, kernel: Kernel, precision: Precision): AxisWeights {
  const scale = inSize / outSize;
  // Shrinking widens the kernel to cover every source pixel: that is the antialiasing.
  const filterScale = Math.max(scale, 1);
  const support = kernel.radius * filterScale;
  const stride = Math.ceil(support) * 2 + 1;
  const starts = new Int32Array(outSize);
  const counts = new Int32Array(outSize);
  const parts = new Float64Array(outSize * stride);
  let largest = 0;
  for (let i = 0; i < outSize; i++) {
    const center = (i + 0.5) * scale;
    const start = Math.max(Math.trunc(center - support + 0.5), 0);
    const count = Math.min(Math.trunc(center + support + 0.5), inSize) - start;
    let total = 0;
    for (let k = 0; k < count; k++) {
      const weight = kernel.at((k + start - center + 0.5) * (1 / filterScale));
      parts[i * stride + k] = weight;
      total += weight;
    }
    for (let k = i * stride; k < i * stride + count; k++) largest = Math.max(largest, (parts[k]! /= total));
    starts[i] = start;
    counts[i] = count;
  }
  const bits = precision(largest);
  const weights = Int32Array.from(parts, (part) => Math.trunc(part * 2 ** bits + (part < 0 ? -0.5 : 0.5)));
  return { starts, counts, weights, stride, bits };
}

const TRIANGLE: Kernel = {
  radius: 1,
  at: (x) => Math.max(1 - Math.abs(x), 0),
};

/** Keys' cubic convolution with a = -0.5. */
const CUBIC: Kernel = {
  radius: 2,
  at(x) {
    const a = -0.5;
    const d = Math.abs(x);
    if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
    if (d < 2) return (((d - 5) * d + 8) * d - 4) * a;
    return 0;
  },
};

/** sinc(x) under the middle lobe of a sinc three times as wide. */
const LANCZOS: Kernel = {
  radius: 3,
  at: (x) => (-3 <= x && x < 3 ? sinc(x) * sinc(x / 3) : 0),
};

function sinc(x: number): number {
  const angle = x * Math.PI;
  return angle === 0 ? 1 : Math.sin(angle) / angle;
}
