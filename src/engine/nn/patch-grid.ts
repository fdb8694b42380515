import { z } from "zod";
import { concatenate, cos, reshape, sin, tensor, transpose, type Tensor } from "../mlx/index.js";
import { inverseFrequencies } from "./rotary.js";
import type { Weights } from "./weights.js";

// What the vision towers of the Qwen-VL family share: patches in merge-block order, where they stand, and how they are read.

const ROPE_THETA = 10_000;

/** `rope_parameters` of a vision config: what `axialRotary` computes, under either of its names. */
export const AxialRope = z.object({ type: z.enum(["default", "axial"]).optional(), rope_type: z.enum(["default", "axial"]).optional(), rope_theta: z.literal(ROPE_THETA).optional() });

/** Row and column of every patch of an h × w grid in merge-block order, interleaved `[N, 2]`: block by block, row-major inside. */
export function mergeOrder(height: number, width: number, mergeSize: number): Int32Array<ArrayBuffer> {
  const order = new Int32Array(2 * height * width);
  let i = 0;
  for (let blockRow = 0; blockRow < height; blockRow += mergeSize) {
    for (let blockColumn = 0; blockColumn < width; blockColumn += mergeSize) {
      for (let row = 0; row < mergeSize; row++) {
        for (let column = 0; column < mergeSize; column++) {
          order[i++] = blockRow + row;
          order[i++] = blockColumn + column;
        }
      }
    }
  }
  return order;
}

/** Angles of patches at `order` (rows and columns, `[N, 2]`), `[N, headDim]`: a quarter of the features follows the row, a quarter the column, and both again. */
export function axialRotary(order: Int32Array, headDim: number): { cos: Tensor; sin: Tensor } {
  const half = headDim / 2;
  const frequencies = inverseFrequencies(half, ROPE_THETA);
  const patches = order.length / 2;
  const angles = new Float32Array(patches * half);
  for (let patch = 0; patch < patches; patch++) {
    for (let axis = 0; axis < 2; axis++) {
      frequencies.forEach((frequency, i) => (angles[patch * half + axis * frequencies.length + i] = (order[2 * patch + axis] as number) * frequency));
    }
  }
  const one = tensor(angles, [patches, half]);
  const both = concatenate([one, one], -1);
  return { cos: cos(both), sin: sin(both) };
}

export interface TemporalPatches {
  outputs: number;
  channels: number;
  /** Frames a patch holds. */
  frames: number;
  patchSize: number;
}

/**
 * The patch convolution as a matrix `[out, features]`, features in the processor's order (channel, frame, row, column). Its
 * kernel is stored `[out, C, T, P, P]` by transformers and `[out, T, P, P, C]` by MLX.
 */
export function temporalPatchMatrix(weights: Weights, path: string, { outputs, channels, frames, patchSize }: TemporalPatches): Tensor {
  const channelsLast = weights.shapeOf(path).at(-1) === channels;
  const kernel = weights.takeMatrix(path, channelsLast ? [outputs, frames, patchSize, patchSize, channels] : [outputs, channels, frames, patchSize, patchSize]);
  const matrix = weights.derive(() => reshape(channelsLast ? transpose(kernel, [0, 4, 1, 2, 3]) : kernel, [outputs, -1]));
  kernel.dispose();
  return matrix;
}
