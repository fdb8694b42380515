import { describe, expect, it } from "vitest";
import * as mx from "../../src/engine/mlx/index.js";

// The fused kernels against their definitions in double precision. On the CPU some are our own (native/src/cpu).

/** A few roundings of float32, relative to the largest value. */
const TOLERANCE = 2e-6;

function expectClose(actual: number[], expected: number[], tolerance = TOLERANCE): void {
  const largest = Math.max(...expected.map(Math.abs));
  const worst = Math.max(...actual.map((x, i) => Math.abs(x - expected[i]!)));
  expect(actual).toHaveLength(expected.length);
  expect(worst / largest).toBeLessThan(tolerance);
}

/** erf by its Maclaurin series, exact to double precision for |x| < 4; beyond, 1 to 1e-8. */
function erf(x: number): number {
  if (Math.abs(x) > 4) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; n < 120; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

describe("activations", () => {
  // Not a multiple of any vector width, and large enough that threads share it.
  const xs = Float32Array.from({ length: 70_001 }, (_, i) => -12 + (24 * i) / 70_000);
  const ys = Float32Array.from(xs, (_, i) => Math.sin(i));
  const apply = (f: (x: mx.Tensor) => mx.Tensor): number[] => mx.scope(() => f(mx.tensor(xs)).toArray());

  it("gelu", () => expectClose(apply(mx.gelu), Array.from(xs, (x) => (x / 2) * (1 + erf(x / Math.SQRT2)))));
  it("geluTanh", () => expectClose(apply(mx.geluTanh), Array.from(xs, (x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))))));
  it("siluMultiply", () => expectClose(apply((x) => mx.siluMultiply(x, mx.tensor(ys))), Array.from(xs, (x, i) => (x / (1 + Math.exp(-x))) * ys[i]!)));
  it("keep extremes finite and exact", () => {
    const extremes = mx.scope(() => mx.gelu(mx.tensor([-1e30, -100, 0, 100, 1e30])).toArray());
    expect(extremes.slice(2)).toEqual([0, 100, Math.fround(1e30)]);
    for (const x of extremes.slice(0, 2)) expect(Math.abs(x)).toBeLessThan(1e-37);
  });

  it("may take numbers below the normal range as zero, but leave JavaScript its own", () => {
    const product = mx.scope(() => mx.linear(mx.tensor(Float32Array.of(1e-40, -1e-40, 1), [3, 1]), mx.tensor(Float32Array.of(1e30), [1, 1])).toArray());
    expectClose(product, [0, 0, 1e30]);
    expect(Number.MIN_VALUE * 2).toBeGreaterThan(0);
    expect(Math.fround(1e-40)).toBeGreaterThan(0);
  });

  it("take views and other data types", () => {
    const matrix = mx.scope(() => mx.geluTanh(mx.transpose(mx.tensor(xs.slice(0, 6), [2, 3]), [1, 0])).toArray());
    const plain = mx.scope(() => mx.transpose(mx.geluTanh(mx.tensor(xs.slice(0, 6), [2, 3])), [1, 0]).toArray());
    expect(matrix).toEqual(plain);
    using half = mx.scope(() => mx.siluMultiply(mx.tensor([1, 2], [2], "bfloat16"), mx.tensor([3, 4], [2], "bfloat16")));
    expect(half.dtype).toBe("bfloat16");
    expectClose(half.toArray(), [3 / (1 + Math.exp(-1)), 8 / (1 + Math.exp(-2))], 0.01);
  });
});

describe("linear", () => {
  const random = (n: number, seed: number): Float32Array<ArrayBuffer> => Float32Array.from(mx.scope(() => mx.randomNormal([n], mx.randomKey(seed)).toTypedArray() as Float32Array));

  /** x `[rows, k]` · w `[out, k]`ᵀ + bias, in double precision. */
  function reference(x: ArrayLike<number>, w: ArrayLike<number>, k: number, bias?: ArrayLike<number>): number[] {
    const out: number[] = [];
    for (let row = 0; row < x.length / k; row++) {
      for (let o = 0; o < w.length / k; o++) {
        let sum = bias?.[o] ?? 0;
        for (let i = 0; i < k; i++) sum += x[row * k + i]! * w[o * k + i]!;
        out.push(sum);
      }
    }
    return out;
  }

  // One row and many; shared by threads and not; more than one block of weights; odd sizes.
  const SHAPES = [
    { rows: 1, k: 24, out: 7 },
    { rows: 1, k: 320, out: 515 },
    { rows: 5, k: 33, out: 9 },
    { rows: 3, k: 2048, out: 700 },
  ];

  describe.each(SHAPES)("$rows × $k → $out", ({ rows, k, out }) => {
    const x = random(rows * k, 1);
    const bias = random(out, 3);
    it.each(["float32", "bfloat16", "float16"] as const)("%s weights under float32 activations", (dtype) => {
      mx.scope(() => {
        const w = mx.tensor(random(out * k, 2), [out, k], dtype);
        mx.evaluate(w);
        const input = mx.tensor(x, [1, rows, k]);
        const y = mx.linear(input, w, mx.tensor(bias));
        expect(y.shape).toEqual([1, rows, out]);
        expect(y.dtype).toBe("float32");
        expectClose(y.toArray(), reference(x, w.toArray(), k, bias));
        expectClose(mx.linear(input, w).toArray(), reference(x, w.toArray(), k));
        // Weights and activations that are views, or not computed yet.
        const view = mx.transpose(mx.contiguous(mx.transpose(w, [1, 0])), [1, 0]);
        expectClose(mx.linear(mx.multiply(input, 2), view).toArray(), reference(x.map((v) => 2 * v), w.toArray(), k));
      });
    });
  });

  it("keeps float16's smallest numbers", () => {
    const tiny = 2 ** -24;
    const y = mx.scope(() => mx.linear(mx.tensor([1, 0], [1, 2]), mx.tensor([tiny, 1, -65504, 2], [2, 2], "float16")).toArray());
    expect(y).toEqual([tiny, -65504]);
  });

  const QUANTIZED = [2, 3, 4, 5, 6, 8].flatMap((bits) => [32, 64, 128].map((groupSize) => ({ bits, groupSize })));
  it.each(QUANTIZED)("$bits bits in groups of $groupSize, as MLX dequantises them", ({ bits, groupSize }) => {
    const q: mx.Quantization = { bits, groupSize, mode: "affine" };
    for (const rows of [1, 5]) {
      mx.scope(() => {
        const [k, out] = [384, 520];
        const x = random(rows * k, 1);
        const bias = random(out, 3);
        const w = mx.quantize(mx.tensor(random(out * k, 2), [out, k]), q);
        const dense = mx.dequantize(w, q).toArray();
        expectClose(mx.quantizedLinear(mx.tensor(x, [rows, k]), w, q, mx.tensor(bias)).toArray(), reference(x, dense, k, bias));
        expectClose(mx.quantizedLinear(mx.tensor(x, [rows, k]), w, q).toArray(), reference(x, dense, k));
      });
    }
  });

  it("refuses shapes that do not fit, in MLX's words", () => {
    expect(() => mx.scope(() => mx.linear(mx.tensor([1, 2, 3]), mx.tensor([1, 2], [1, 2])))).toThrow(/linear: \[matmul\]/);
  });
});

describe("scaledDotProductAttention", () => {
  interface Shape {
    B: number;
    H: number;
    Hkv: number;
    L: number;
    S: number;
    D: number;
  }

  /** In double precision, index by index. */
  function reference({ B, H, Hkv, L, S, D }: Shape, q: Float32Array, k: Float32Array, v: Float32Array, scale: number, causal: boolean): number[] {
    const out: number[] = [];
    for (let b = 0; b < B; b++) {
      for (let h = 0; h < H; h++) {
        const kv = Math.floor(h / (H / Hkv));
        const row = (x: Float32Array, heads: number, head: number, length: number, i: number): Float32Array => x.subarray(((b * heads + head) * length + i) * D, ((b * heads + head) * length + i + 1) * D);
        for (let i = 0; i < L; i++) {
          const seen = causal ? S - L + i + 1 : S;
          const scores = Array.from({ length: seen }, (_, j) => scale * row(q, H, h, L, i).reduce((sum, x, d) => sum + x * row(k, Hkv, kv, S, j)[d]!, 0));
          const largest = Math.max(...scores);
          const weights = scores.map((score) => Math.exp(score - largest));
          const total = weights.reduce((a, b) => a + b);
          for (let d = 0; d < D; d++) out.push(weights.reduce((sum, w, j) => sum + (w / total) * row(v, Hkv, kv, S, j)[d]!, 0));
        }
      }
    }
    return out;
  }

  const random = (n: number, seed: number): Float32Array<ArrayBuffer> => Float32Array.from(mx.scope(() => mx.randomNormal([n], mx.randomKey(seed)).toTypedArray() as Float32Array));

  it.each<[string, Shape, boolean]>([
    ["one query", { B: 1, H: 4, Hkv: 2, L: 1, S: 77, D: 24 }, false],
    ["one query, causal", { B: 1, H: 4, Hkv: 2, L: 1, S: 77, D: 24 }, true],
    ["a square", { B: 1, H: 2, Hkv: 2, L: 65, S: 65, D: 16 }, false],
    ["a square, causal", { B: 1, H: 6, Hkv: 2, L: 33, S: 33, D: 8 }, true],
    ["new rows after cached ones", { B: 1, H: 4, Hkv: 1, L: 7, S: 40, D: 8 }, true],
    ["several blocks of queries", { B: 1, H: 1, Hkv: 1, L: 515, S: 515, D: 4 }, true],
    ["a batch", { B: 3, H: 2, Hkv: 1, L: 5, S: 9, D: 8 }, false],
  ])("%s", (_, shape, causal) => {
    const { B, H, Hkv, L, S, D } = shape;
    const [q, k, v] = [random(B * H * L * D, 1), random(B * Hkv * S * D, 2), random(B * Hkv * S * D, 3)];
    const expected = reference(shape, q, k, v, 0.3, causal);
    const mask = causal ? "causal" : undefined;
    const plain = mx.scope(() => mx.scaledDotProductAttention(mx.tensor(q, [B, H, L, D]), mx.tensor(k, [B, Hkv, S, D]), mx.tensor(v, [B, Hkv, S, D]), 0.3, mask).toArray());
    expectClose(plain, expected, 1e-5);
    // The same numbers through every other layout in memory: heads after rows, features first, a part of a larger buffer.
    const heads = (x: mx.Tensor): mx.Tensor => mx.transpose(mx.contiguous(mx.transpose(x, [0, 2, 1, 3])), [0, 2, 1, 3]);
    const features = (x: mx.Tensor): mx.Tensor => mx.swapAxes(mx.contiguous(mx.swapAxes(x, 2, 3)), 2, 3);
    const part = (x: mx.Tensor): mx.Tensor => mx.slice(mx.concatenate([x, x], 2), 2, 0, x.dim(2));
    for (const layout of [heads, features, part]) {
      const y = mx.scope(() => mx.scaledDotProductAttention(layout(mx.tensor(q, [B, H, L, D])), layout(mx.tensor(k, [B, Hkv, S, D])), layout(mx.tensor(v, [B, Hkv, S, D])), 0.3, mask).toArray());
      expectClose(y, expected, 1e-5);
    }
  });
});
