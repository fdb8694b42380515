import { concatenate, cos, multiply, scope, sin, tensor, type Tensor } from "../mlx/index.js";
import type { Rotary } from "./rotary.js";

// Rotary positions on three axes (M-RoPE, arXiv:2409.12191): time, height, width. Each of a head's D/2 frequencies follows one.

/** Position ids of a prompt on three axes, `[3, length]` row-major: time, height, width. */
export interface PositionIds {
  ids: Int32Array;
  /** Position of the first row after the prompt, on every axis. */
  next: number;
}

/** A grid of t × h × w patches whose merged ones lie from row `start` on. */
export interface PlacedGrid {
  start: number;
  gridThw: readonly [number, number, number];
  /** Positions from one time to the next, where that is not 1. */
  interval?: number;
}

/**
 * Text counts up on all axes; a picture or video of t × h × w merged patches starts where text stands, counts times, rows and columns on
 * its own axes, and text goes on after the larger of rows and columns: a long video reaches beyond it. Reference: `get_rope_index`,
 * transformers 5.23, models/qwen2_5_vl/modeling_qwen2_5_vl.py.
 */
export function positionIds(length: number, grids: readonly PlacedGrid[], mergeSize: number): PositionIds {
  const ids = new Int32Array(3 * length);
  let position = 0;
  let latest = 0;
  let row = 0;
  const text = (end: number): void => {
    for (; row < end; row++, position++) for (let axis = 0; axis < 3; axis++) ids[axis * length + row] = position;
  };
  for (const { start, gridThw, interval = 1 } of grids) {
    text(start);
    const [frames, height, width] = [gridThw[0], gridThw[1] / mergeSize, gridThw[2] / mergeSize];
    for (let t = 0; t < frames; t++) {
      const time = position + Math.trunc(Math.fround(t * interval));
      latest = Math.max(latest, time + 1);
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++, row++) {
          ids[row] = time;
          ids[length + row] = position + y;
          ids[2 * length + row] = position + x;
        }
      }
    }
    position += Math.max(height, width);
  }
  text(length);
  return { ids, next: Math.max(position, latest) };
}

/** How many frequencies follow the time, the height and the width. */
export type AxisSections = readonly [number, number, number];

/** The axis of every frequency where they lie in three blocks, one after the other (Qwen2-VL, Qwen2.5-VL). */
export function blockAxes(sections: AxisSections): Int32Array {
  return Int32Array.from(sections.flatMap((count, axis) => Array.from({ length: count }, () => axis)));
}

/** The axis of each of `count` frequencies where they take turns: number 3k + 1 follows the height and 3k + 2 the width while k is below the axis' section, all others the time (Qwen3-VL). */
export function interleavedAxes(sections: AxisSections, count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, i) => {
    const axis = i % 3;
    return axis !== 0 && i < (sections[axis] ?? 0) * 3 ? axis : 0;
  });
}

export interface AxisRotation {
  /** The axis that each frequency follows, `[D / 2]`. */
  axes: Int32Array;
  /** Radians a position, `[D / 2]`. */
  frequencies: Float32Array;
  /** What cosines and sines are multiplied with; 1 unless the positions are scaled for long sequences. */
  factor: number;
}

/** The rows' angles, float32 throughout, as the reference multiplies. */
export function multiAxisRotary({ ids, next }: PositionIds, { axes, frequencies, factor }: AxisRotation): { rows(start: number, end: number): { rotary: Rotary }; next: number } {
  const length = ids.length / 3;
  const half = axes.length;
  return {
    next,
    rows(start, end) {
      const angles = new Float32Array((end - start) * half);
      for (let row = start; row < end; row++) {
        for (let i = 0; i < half; i++) angles[(row - start) * half + i] = (ids[(axes[i] as number) * length + row] as number) * (frequencies[i] as number);
      }
      return { rotary: scope(() => rotaryOf(tensor(angles, [end - start, half]), factor)) };
    },
  };
}

function rotaryOf(half: Tensor, factor: number): { cos: Tensor; sin: Tensor } {
  const angles = concatenate([half, half], -1);
  return factor === 1 ? { cos: cos(angles), sin: sin(angles) } : { cos: multiply(cos(angles), factor), sin: multiply(sin(angles), factor) };
}
