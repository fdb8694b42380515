import { reshape, transpose, type Tensor } from "../mlx/index.js";
import type { Weights } from "./weights.js";

/**
 * A patch convolution as a matrix `[out, C · P · P]`, features in the order channel, row, column. Its kernel is stored
 * `[out, C, P, P]` by transformers and `[out, P, P, C]` by MLX.
 */
export function patchMatrix(weights: Weights, path: string, { outputs, channels, patchSize }: { outputs: number; channels: number; patchSize: number }): Tensor {
  const channelsLast = weights.shapeOf(path).at(-1) === channels;
  const kernel = weights.takeMatrix(path, channelsLast ? [outputs, patchSize, patchSize, channels] : [outputs, channels, patchSize, patchSize]);
  const matrix = weights.derive(() => reshape(channelsLast ? transpose(kernel, [0, 3, 1, 2]) : kernel, [outputs, -1]));
  kernel.dispose();
  return matrix;
}
