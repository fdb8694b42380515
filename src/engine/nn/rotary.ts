import { add, astype, concatenate, multiply, negative, rope, split, tensor, type Tensor } from "../mlx/index.js";

/**
 * Where rows stand: consecutive positions of one sequence from `offset` (MLX's fused kernel), angles worked out beforehand where
 * positions have several axes (pictures), or one row of each sequence of a batch. `length`: of the whole prompt that the rows are
 * part of, for frequencies that depend on it (nn/rope.ts); by default the rows are the sequence's last.
 */
export type Rotary = { offset: number; length?: number } | Angles | BatchPositions;

/** float32; broadcast against rows `[B, H, L, D]`. */
export interface Angles {
  cos: Tensor;
  sin: Tensor;
}

/** The positions of a batch's rows, one of each sequence. Of one forward pass: the angles that its layers share belong to its scope. */
export class BatchPositions {
  readonly #angles = new Map<unknown, Angles>();

  constructor(readonly offsets: readonly number[]) {}

  /**
   * Cosines and sines, `[B, 1, 1, dims]`, of a rotation, worked out for the first layer that asks and kept under `key`. They are what `rotate`
   * makes of a row that lies on the first half's axis, so that a batch turns exactly as each sequence would alone.
   */
  angles(key: unknown, dims: number, rotate: (x: Tensor, offset: number) => Tensor): Angles {
    const known = this.#angles.get(key);
    if (known !== undefined) return known;
    const unit = tensor(Float32Array.from({ length: dims }, (_, i) => (i < dims / 2 ? 1 : 0)), [1, 1, 1, dims]);
    const turned = concatenate(this.offsets.map((offset) => rotate(unit, offset)), 0);
    const [cos, sin] = split(turned, [dims / 2], -1) as [Tensor, Tensor];
    const angles = { cos: concatenate([cos, cos], -1), sin: concatenate([sin, sin], -1) };
    this.#angles.set(key, angles);
    return angles;
  }
}

/** 1 / base^(2i / dims) for i < dims / 2, in float32 as the references do. */
export function inverseFrequencies(dims: number, base: number): Float32Array {
  return Float32Array.from({ length: dims / 2 }, (_, i) => 1 / Math.fround(base ** ((2 * i) / dims)));
}

/**
 * Rotates the halves of the last axis of x `[..., L, D]` against each other by angles whose cosines and sines are float32
 * `[L, D]`. Computed in float32, returned in x's data type.
 */
export function rotateHalves(x: Tensor, cos: Tensor, sin: Tensor): Tensor {
  const [first, second] = split(x, [x.dim(-1) / 2], -1) as [Tensor, Tensor];
  const rotated = concatenate([negative(second), first], -1);
  const y = add(multiply(x, cos), multiply(rotated, sin));
  return y.dtype === x.dtype ? y : astype(y, x.dtype);
}

/** Rotary position embedding of the first `dims` features of x `[B, H, L, D]`. */
export function applyRotary(x: Tensor, rotary: Rotary, { base, dims = x.dim(-1) }: { base: number; dims?: number }): Tensor {
  if ("offset" in rotary) return rope(x, { dims, base, offset: rotary.offset });
  const { cos, sin } = rotary instanceof BatchPositions ? rotary.angles(`${dims} ${base}`, dims, (unit, offset) => rope(unit, { dims, base, offset })) : rotary;
  return rotateFirst(x, dims, cos, sin);
}

/** `rotateHalves` of the first `dims` features; the others stay. */
export function rotateFirst(x: Tensor, dims: number, cos: Tensor, sin: Tensor): Tensor {
  if (dims === x.dim(-1)) return rotateHalves(x, cos, sin);
  const [rotated, rest] = split(x, [dims], -1) as [Tensor, Tensor];
  return concatenate([rotateHalves(rotated, cos, sin), rest], -1);
}
