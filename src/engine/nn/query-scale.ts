import { tensor, type DType, type Tensor } from "../mlx/index.js";
import { BatchPositions, type Rotary } from "./rotary.js";

/** Llama 4's temperature of attention (also Ministral 3's): queries grow with the logarithm of how often the original length fits before them. */
export interface QueryScaling {
  beta: number;
  /** Positions before the first step, `original_max_position_embeddings`. */
  length: number;
}

/** What the queries of `rows` rows are multiplied with, `[rows, 1]`, or of a batch `[B, 1, 1, 1]`; `undefined` where that is one. */
export function queryScale({ beta, length }: QueryScaling, rotary: Rotary, rows: number, dtype: DType): Tensor | undefined {
  // Rows with angles of their own have no one position; no family has both.
  if ("cos" in rotary) return undefined;
  const positions = rotary instanceof BatchPositions ? rotary.offsets : Array.from({ length: rows }, (_, row) => rotary.offset + row);
  if (positions.every((position) => position < length)) return undefined;
  const scales = Float32Array.from(positions, (position) => 1 + beta * Math.log(1 + Math.floor(position / length)));
  return tensor(scales, rotary instanceof BatchPositions ? [positions.length, 1, 1, 1] : [rows, 1], dtype);
}
