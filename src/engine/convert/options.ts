import { DeskhandError } from "../../core/errors.js";
import type { OnProgress } from "../../core/progress.js";
import type { Quantization, QuantizationMode } from "../mlx/index.js";
import { RECIPES, type RecipeName } from "./recipes.js";

export interface QuantizeOptions {
  /** Bits of a weight. Default: 4, or what the mode prescribes. */
  bits?: number;
  /** Weights that share a scale. Default: 64, or what the mode prescribes. */
  groupSize?: number;
  /** Default: affine. */
  mode?: QuantizationMode;
}

export interface ConvertOptions {
  /** The folder to make; it must not exist. */
  out: string;
  quantize?: QuantizeOptions;
  /** More bits for the layers that matter most. Goes with `quantize` of affine mode without `bits`, or alone. */
  mixed?: RecipeName;
  /** Quantise vision and audio towers too. */
  quantizeTowers?: boolean;
  /** Make quantised weights plain again. */
  dequantize?: boolean;
  /** Type of floating-point weights. Default: as they are stored. */
  dtype?: "float32" | "float16" | "bfloat16";
  onProgress?: OnProgress;
  signal?: AbortSignal;
}

/** What MLX's kernels take: the first of each is the default. */
const MODES: Readonly<Record<QuantizationMode, { bits: readonly number[]; groupSizes: readonly number[] }>> = {
  affine: { bits: [4, 2, 3, 5, 6, 8], groupSizes: [64, 32, 128] },
  mxfp4: { bits: [4], groupSizes: [32] },
  nvfp4: { bits: [4], groupSizes: [16] },
  mxfp8: { bits: [8], groupSizes: [32] },
};

/** The quantisation asked for, with every default in place; `undefined` when none is. For a recipe, with its lower bits. */
export function resolveQuantization({ quantize, mixed, dequantize, quantizeTowers }: ConvertOptions): Quantization | undefined {
  if (quantize === undefined && mixed === undefined) {
    if (quantizeTowers) throw refused("quantizeTowers", "to go with a quantisation (--quantize-vision with --quantize) but none is asked for");
    return undefined;
  }
  if (dequantize) throw refused("dequantize", "to stand alone but a quantisation is asked for too. Convert twice to quantise anew");
  const { mode = "affine", bits, groupSize } = quantize ?? {};
  if (!Object.hasOwn(MODES, mode)) throw refused("mode", `to be one of ${Object.keys(MODES).join(", ")} but received ${mode}`);
  if (mixed !== undefined) {
    if (!Object.hasOwn(RECIPES, mixed)) throw refused("mixed", `to be one of ${Object.keys(RECIPES).join(", ")} but received ${mixed}`);
    if (mode !== "affine") throw refused("mixed", `to go with mode affine but received ${mode}`);
    if (bits !== undefined) throw refused("mixed", `to choose the bits by itself but received ${bits} too. Leave the number out`);
  }
  const known = MODES[mode];
  const chosen = { bits: mixed === undefined ? (bits ?? known.bits[0]!) : RECIPES[mixed].low, groupSize: groupSize ?? known.groupSizes[0]!, mode };
  if (!known.bits.includes(chosen.bits)) throw refused("bits", `in mode ${mode} to be ${oneOf(known.bits)} but received ${chosen.bits}`);
  if (!known.groupSizes.includes(chosen.groupSize)) throw refused("groupSize", `in mode ${mode} to be ${oneOf(known.groupSizes)} but received ${chosen.groupSize}`);
  return chosen;
}

function oneOf(values: readonly number[]): string {
  return [...values].sort((a, b) => a - b).join(", ");
}

function refused(param: string, what: string): DeskhandError {
  return new DeskhandError("invalid_argument", `Expected ${param} ${what}.`, { param });
}
