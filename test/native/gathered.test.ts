import { describe, expect, it } from "vitest";
import * as mx from "../../src/engine/mlx/index.js";

// Products with stacked matrices and the gated delta rule, against their definitions in double precision.

/** A few roundings of float32, relative to the largest value. */
const TOLERANCE = 2e-6;

function expectClose(actual: number[], expected: number[]): void {
  const largest = Math.max(...expected.map(Math.abs));
  expect(actual).toHaveLength(expected.length);
  expect(Math.max(...actual.map((x, i) => Math.abs(x - expected[i]!))) / largest).toBeLessThan(TOLERANCE);
}

const random = (n: number, seed: number): Float32Array<ArrayBuffer> => Float32Array.from(mx.scope(() => mx.randomNormal([n], mx.randomKey(seed)).toTypedArray() as Float32Array));

describe("rows through the matrix they ask for", () => {
  const [experts, k, out] = [5, 384, 264];

  function reference(x: ArrayLike<number>, w: ArrayLike<number>, indices: readonly number[]): number[] {
    return indices.flatMap((expert, row) =>
      Array.from({ length: out }, (_, o) => {
        let sum = 0;
        for (let i = 0; i < k; i++) sum += x[row * k + i]! * w[(expert * out + o) * k + i]!;
        return sum;
      }),
    );
  }

  // One row; unsorted neighbours; runs both short and long, and a matrix that nobody asks for.
  const CASES = [
    { indices: [3], sorted: false },
    { indices: [4, 0, 0, 2, 4, 1], sorted: false },
    { indices: [0, 1, 1, 3, 3, 3, 3, 3, 3, 3, 4, 4], sorted: true },
  ];

  describe.each(CASES)("$indices", ({ indices, sorted }) => {
    const x = random(indices.length * k, 1);
    const gather = (): mx.Gather => ({ indices: mx.tensor(Uint32Array.from(indices)), sorted });
    const rows = (): mx.Tensor => mx.tensor(x, [indices.length, k]);

    it.each(["float32", "bfloat16", "float16"] as const)("%s weights under float32 activations", (dtype) => {
      mx.scope(() => {
        const w = mx.tensor(random(experts * out * k, 2), [experts, out, k], dtype);
        const expected = reference(x, w.toArray(), indices);
        const y = mx.gatherLinear(rows(), w, gather());
        expect(y.shape).toEqual([indices.length, out]);
        expect(y.dtype).toBe("float32");
        expectClose(y.toArray(), expected);
        // A view, not computed yet.
        const view = mx.transpose(mx.contiguous(mx.transpose(w, [0, 2, 1])), [0, 2, 1]);
        expectClose(mx.gatherLinear(rows(), view, gather()).toArray(), expected);
      });
    });

    it.each([3, 4, 6, 8].flatMap((bits) => [32, 64].map((groupSize) => ({ bits, groupSize }))))("$bits bits in groups of $groupSize, as MLX dequantises them", ({ bits, groupSize }) => {
      const q: mx.Quantization = { bits, groupSize, mode: "affine" };
      mx.scope(() => {
        const w = mx.quantize(mx.tensor(random(experts * out * k, 2), [experts, out, k]), q);
        expectClose(mx.gatherQuantizedLinear(rows(), w, q, gather()).toArray(), reference(x, mx.dequantize(w, q).toArray(), indices));
      });
    });
  });

  it("keeps the data type of half-precision activations", () => {
    mx.scope(() => {
      const w = mx.tensor(random(experts * out * k, 2), [experts, out, k], "bfloat16");
      const x = mx.tensor(random(2 * k, 1), [2, k], "bfloat16");
      const y = mx.gatherLinear(x, w, { indices: mx.tensor(Uint32Array.of(1, 4)), sorted: true });
      expect(y.dtype).toBe("bfloat16");
      const expected = reference(x.toArray(), w.toArray(), [1, 4]);
      const largest = Math.max(...expected.map(Math.abs));
      // bfloat16 keeps 8 bits.
      y.toArray().forEach((value, i) => expect(Math.abs(value - expected[i]!) / largest).toBeLessThan(2 ** -8));
    });
  });
});

describe("the gated delta rule", () => {
  interface Shape {
    batch: number;
    steps: number;
    keyHeads: number;
    heads: number;
    keyDim: number;
    valueDim: number;
  }

  function inputs({ batch, steps, keyHeads, heads, keyDim, valueDim }: Shape): Record<"q" | "k" | "v" | "decay" | "beta" | "state", { data: Float32Array<ArrayBuffer>; shape: number[] }> {
    const make = (shape: number[], seed: number, f: (x: number) => number = (x) => x): { data: Float32Array<ArrayBuffer>; shape: number[] } => ({ data: random(shape.reduce((a, b) => a * b), seed).map(f), shape });
    const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
    const keys = [batch, steps, keyHeads, keyDim];
    // Keys of about length 1, as the rule wants them.
    const unit = (x: number): number => x / Math.sqrt(keyDim);
    return {
      q: make(keys, 1, unit),
      k: make(keys, 2, unit),
      v: make([batch, steps, heads, valueDim], 3),
      decay: make([batch, steps, heads], 4, sigmoid),
      beta: make([batch, steps, heads], 5, sigmoid),
      state: make([batch, heads, valueDim, keyDim], 6),
    };
  }

  function reference({ batch, steps, keyHeads, heads, keyDim, valueDim }: Shape, { q, k, v, decay, beta, state }: ReturnType<typeof inputs>): { y: number[]; state: number[] } {
    const s = Array.from(state.data);
    const y: number[] = new Array<number>(v.data.length).fill(0);
    for (let b = 0; b < batch; b++) {
      for (let t = 0; t < steps; t++) {
        for (let h = 0; h < heads; h++) {
          const gate = (b * steps + t) * heads + h;
          const key = ((b * steps + t) * keyHeads + Math.floor(h / (heads / keyHeads))) * keyDim;
          for (let i = 0; i < valueDim; i++) {
            const row = ((b * heads + h) * valueDim + i) * keyDim;
            let known = 0;
            for (let j = 0; j < keyDim; j++) {
              s[row + j]! *= decay.data[gate]!;
              known += s[row + j]! * k.data[key + j]!;
            }
            const delta = beta.data[gate]! * (v.data[gate * valueDim + i]! - known);
            for (let j = 0; j < keyDim; j++) {
              s[row + j]! += delta * k.data[key + j]!;
              y[gate * valueDim + i]! += s[row + j]! * q.data[key + j]!;
            }
          }
        }
      }
    }
    return { y, state: s };
  }

  // Small, shared by threads, odd sizes, several sequences.
  const SHAPES: Shape[] = [
    { batch: 1, steps: 1, keyHeads: 1, heads: 2, keyDim: 8, valueDim: 4 },
    { batch: 2, steps: 7, keyHeads: 3, heads: 6, keyDim: 33, valueDim: 21 },
    { batch: 1, steps: 40, keyHeads: 2, heads: 4, keyDim: 64, valueDim: 64 },
  ];

  it.each(SHAPES)("$batch sequences of $steps steps, $heads heads over $keyHeads", (shape) => {
    const made = inputs(shape);
    const expected = reference(shape, made);
    mx.scope(() => {
      const [q, k, v, decay, beta, state] = (["q", "k", "v", "decay", "beta", "state"] as const).map((name) => mx.tensor(made[name].data, made[name].shape)) as [mx.Tensor, mx.Tensor, mx.Tensor, mx.Tensor, mx.Tensor, mx.Tensor];
      const result = mx.gatedDelta({ q, k, v, decay, beta, state });
      expect(result.y.shape).toEqual(made.v.shape);
      expect(result.state.shape).toEqual(made.state.shape);
      expectClose(result.y.toArray(), expected.y);
      expectClose(result.state.toArray(), expected.state);
    });
  });
});
