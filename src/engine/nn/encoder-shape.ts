/** What an encoder of pictures computes with, as far as its memory goes. */
export interface EncoderShape {
  /** Numbers that make a patch. */
  patchNumbers: number;
  /** Width of its rows, and of its layers' inner ones. */
  hidden: number;
  intermediate: number;
}

interface TowerConfig {
  hidden_size: number;
  intermediate_size: number;
  patch_size: number;
  temporal_patch_size?: number;
}

export function encoderShape({ hidden_size: hidden, intermediate_size: intermediate, patch_size: side, temporal_patch_size: frames = 1 }: TowerConfig): EncoderShape {
  return { patchNumbers: 3 * side ** 2 * frames, hidden, intermediate };
}

/** Activations are float32 on the CPU, and no wider elsewhere. */
const NUMBER_BYTES = 4;
/**
 * Rows of either width that are alive at once for a patch: the residual, its norm, queries, keys and values before and after they are turned,
 * the positions put together from four, and what MLX frees a little later, which is not always the same. Measured on Qwen-VL's towers: 17.6
 * to 22.4 widths in all where inner layers are 1.4 times as wide, 20 to 23.3 at 1.5, 26.5 at 4.
 */
const ROWS = 28;
const INNER_ROWS = 2;

/** Most bytes alive while pictures of so many numbers are encoded. Attention goes by blocks and never holds all pairs of patches. */
export function encoderBytes({ patchNumbers, hidden, intermediate }: EncoderShape, numbers: number): number {
  return NUMBER_BYTES * (numbers + (numbers / patchNumbers) * (ROWS * hidden + INNER_ROWS * intermediate));
}
