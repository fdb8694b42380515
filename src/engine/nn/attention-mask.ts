import { arange, concatenate, equal, expandDims, full, greater, greaterEqual, lessEqual, logicalAnd, logicalOr, subtract, tensor, type Tensor } from "../mlx/index.js";

/** What `scaledDotProductAttention` takes: `undefined` where every row sees every key. */
export type AttentionMask = Tensor | "causal" | undefined;

export interface MaskOptions {
  /** New rows, the last of the sequence. */
  rows: number;
  /** Keys before them. */
  past: number;
  /** How far back a row sees, itself included; `undefined`: to the beginning. */
  window?: number;
  /** Of the new rows: those with one number from 0 on see each other in both directions (`RowPlan.groups`). */
  groups?: Int32Array<ArrayBuffer>;
}

/** Which keys each new row sees: those before it and those of its picture, in either case no further back than the window. */
export function attentionMask({ rows, past, window = Infinity, groups }: MaskOptions): AttentionMask {
  const grouped = groups?.some((group) => group >= 0) ?? false;
  // A cache gives a single row no keys outside its window.
  if (rows === 1) return undefined;
  if (!grouped && past + rows <= window) return "causal";
  const queries = expandDims(arange(past, past + rows), 1);
  const keys = expandDims(arange(0, past + rows), 0);
  let mask = lessEqual(keys, queries);
  if (grouped && groups !== undefined) {
    const own = tensor(groups);
    // Pictures are not cut between passes, so that keys from before belong to no picture of these rows.
    const all = past === 0 ? own : concatenate([full([past], -1, "int32"), own], 0);
    mask = logicalOr(mask, logicalAnd(greaterEqual(expandDims(own, 1), 0), equal(expandDims(own, 1), expandDims(all, 0))));
  }
  return past + rows <= window ? mask : logicalAnd(mask, greater(keys, subtract(queries, window)));
}
