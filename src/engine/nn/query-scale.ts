import { tensor, type DType, type Tensor } from "../mlx/index.js";
import type { Rotary } from "./rotary.js";

/** Llama 4's temperature of attention (also Ministral 3's): queries grow with the logarithm of how often the original length fits before them. */
export interface QueryScaling {
  beta: number;
  /** Positions before the first step, `original_max_position_embeddings`. */
  length: number;
}

/** What the queries of `rows` rows are multiplied with, `[rows, 1]`; `undefined` where that is one. */
export function queryScale({ beta, length }: QueryScaling, rotary: Rotary, rows: number, dtype: DType): Tensor | undefined {
  // Rows with angles of their own have no one position; no family has both.
  if (!("offset" in rotary) || rotary.offset + rows <= length) return undefined;
  return tensor(Float32Array.from({ length: rows }, (_, row) => 1 + beta * Math.log(1 + Math.floor((rotary.offset + row) / length))), [rows, 1], dtype);
}
