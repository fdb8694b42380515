import { concatenate, cos, sin, tensor, scope, type Tensor } from "../../mlx/index.js";
import { inverseFrequencies } from "../../nn/rotary.js";
import type { Prompt, PromptPlan, RowPlan } from "../architecture.js";
import type { Qwen3VLTextConfig } from "./config.js";
import type { QwenImage } from "./processor.js";

/** Position ids of a prompt on three axes, `[3, length]` row-major: time, height, width. */
export interface PositionIds {
  ids: Int32Array;
  /** Position of the first row after the prompt, on every axis. */
  next: number;
}

/**
 * Text counts up on all axes; a picture of h × w merged patches starts where text stands, counts rows and columns on its own
 * axes, and text goes on after the larger of the two. Reference: `get_rope_index`, transformers 5.23, modeling_qwen3_vl.py.
 */
export function positionIds(length: number, images: readonly { start: number; gridThw: readonly [number, number, number] }[], mergeSize: number): PositionIds {
  const ids = new Int32Array(3 * length);
  let position = 0;
  let row = 0;
  const text = (end: number): void => {
    for (; row < end; row++, position++) for (let axis = 0; axis < 3; axis++) ids[axis * length + row] = position;
  };
  for (const { start, gridThw } of images) {
    text(start);
    const [frames, height, width] = [gridThw[0], gridThw[1] / mergeSize, gridThw[2] / mergeSize];
    for (let t = 0; t < frames; t++) {
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++, row++) {
          ids[row] = position + t;
          ids[length + row] = position + y;
          ids[2 * length + row] = position + x;
        }
      }
    }
    position += Math.max(height, width);
  }
  text(length);
  return { ids, next: position };
}

type RopeConfig = Pick<Qwen3VLTextConfig, "head_dim" | "rope_theta" | "mrope_section">;

/** The plan of a prompt with pictures: consecutive positions while there are none. */
export function planImages({ tokenIds, media }: Prompt, mergeSize: number, text: RopeConfig): PromptPlan {
  if (media.length === 0) return { rows: (start) => ({ rotary: { offset: start } }), next: tokenIds.length };
  const images = media.map(({ start, item }) => ({ start, gridThw: (item as QwenImage).gridThw }));
  return rotaryAngles(positionIds(tokenIds.length, images, mergeSize), text);
}

/**
 * Interleaved multi-axis rotary angles: of the D/2 frequencies, number 3k + 1 follows the height and 3k + 2 the width while
 * k is below the axis' section, all others the time. Float32 throughout, as the reference multiplies.
 */
export function rotaryAngles({ ids, next }: PositionIds, text: RopeConfig): PromptPlan {
  const length = ids.length / 3;
  const half = text.head_dim / 2;
  const frequencies = inverseFrequencies(text.head_dim, text.rope_theta);
  const axes = Int32Array.from({ length: half }, (_, i) => {
    const axis = i % 3;
    return axis !== 0 && i < (text.mrope_section[axis] ?? 0) * 3 ? axis : 0;
  });
  return {
    next,
    rows(start, end): RowPlan {
      const angles = new Float32Array((end - start) * half);
      for (let row = start; row < end; row++) {
        for (let i = 0; i < half; i++) angles[(row - start) * half + i] = (ids[(axes[i] as number) * length + row] as number) * (frequencies[i] as number);
      }
      return { rotary: scope(() => twice(tensor(angles, [end - start, half]))) };
    },
  };
}

function twice(half: Tensor): { cos: Tensor; sin: Tensor } {
  const angles = concatenate([half, half], -1);
  return { cos: cos(angles), sin: sin(angles) };
}
