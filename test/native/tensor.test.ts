import { afterEach, beforeEach, describe, expect, it } from "vitest";
import * as mx from "../../src/engine/mlx/index.js";

let baseline: number;
beforeEach(() => (baseline = mx.liveTensors()));
afterEach(() => expect(mx.liveTensors()).toBe(baseline));

describe("tensors", () => {
  it("keep shape, data type and values", () => {
    using x = mx.tensor([1, 2, 3, 4, 5, 6], [2, 3]);
    expect(x.shape).toEqual([2, 3]);
    expect(x.dtype).toBe("float32");
    expect(x.nbytes).toBe(24);
    expect(x.toArray()).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it.each([
    [new Int8Array([-1, 2]), "int8"],
    [new Uint8Array([1, 255]), "uint8"],
    [new Int16Array([-300, 2]), "int16"],
    [new Uint16Array([65535, 2]), "uint16"],
    [new Int32Array([-70000, 2]), "int32"],
    [new Uint32Array([4294967295, 2]), "uint32"],
    [new Float32Array([0.5, -2]), "float32"],
    [new Float64Array([0.1, -2]), "float64"],
  ] as const)("take %o as %s", (values, dtype) => {
    using x = mx.tensor(values);
    expect(x.dtype).toBe(dtype);
    expect(x.toArray()).toEqual(Array.from(values));
  });

  it("round to bfloat16 and back", () => {
    using x = mx.tensor([1, 1 / 3, 3.140625], [3], "bfloat16");
    expect(x.dtype).toBe("bfloat16");
    expect(x.toArray()).toEqual([1, 0.333984375, 3.140625]);
  });

  it("read views row-major", () => {
    using x = mx.tensor([1, 2, 3, 4, 5, 6], [2, 3]);
    using y = mx.transpose(x, [1, 0]);
    expect(y.toArray()).toEqual([1, 4, 2, 5, 3, 6]);
    using z = mx.slice(x, 1, 1, 3);
    expect(z.toArray()).toEqual([2, 3, 5, 6]);
  });

  it("look at a part of a larger buffer", () => {
    const all = new Float32Array([0, 1, 2, 3, 4, 5]);
    using x = mx.tensor(all.subarray(2, 5));
    expect(x.toArray()).toEqual([2, 3, 4]);
  });

  it("keep their data when the JavaScript array is gone", async () => {
    const make = (): mx.Tensor => mx.tensor(Float32Array.from({ length: 1 << 20 }, (_, i) => i));
    using x = make();
    for (let i = 0; i < 20; i++) new Float32Array(1 << 20).fill(i);
    await new Promise((resolve) => setImmediate(resolve));
    using y = mx.slice(x, 0, -1);
    expect(y.item()).toBe((1 << 20) - 1);
  });
});

describe("errors", () => {
  it("keep MLX's text and the JavaScript stack", () => {
    using x = mx.tensor([1, 2, 3, 4, 5, 6], [2, 3]);
    const multiplyByItself = (): mx.Tensor => mx.matmul(x, x);
    const error = caught(multiplyByItself);
    expect(error.message).toMatch(/^matmul: \[matmul\] Last dimension of first input with shape \(2,3\)/);
    expect(error.stack).toContain("multiplyByItself");
  });

  it("say that a tensor was disposed", () => {
    const x = mx.tensor([1]);
    x.dispose();
    expect(() => mx.add(x, 1)).toThrow(/expected a live tensor but received a disposed one/);
    expect(() => x.dispose()).not.toThrow();
  });

  it("say which argument is wrong", () => {
    using x = mx.tensor([1]);
    expect(() => mx.reshape(x, ["a" as unknown as number])).toThrow(/reshape: expected an array of whole numbers as argument 2/);
    expect(() => mx.astype(x, "float8" as "float32")).toThrow(/expected a data type \(one of bool, .*\) but received "float8"/);
  });

  it("refuse a buffer that is too small", () => {
    expect(() => mx.tensor(new Float32Array(3), [2, 2])).toThrow(/fromBuffer: expected a buffer of at least 16 bytes but received 12/);
  });
});

function caught(body: () => unknown): Error {
  try {
    body();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("expected an error");
}

describe("scope", () => {
  it("frees what it made and keeps its result", () => {
    using y = mx.scope(() => mx.add(mx.multiply(mx.tensor([1, 2]), 3), 1));
    expect(mx.liveTensors()).toBe(baseline + 1);
    expect(y.toArray()).toEqual([4, 7]);
  });

  it("keeps tensors inside arrays and objects, and hands them to the scope around it", () => {
    mx.scope(() => {
      const { a, list } = mx.scope(() => ({ a: mx.tensor([1]), list: [mx.tensor([2]), mx.tensor([3])], n: 4 }));
      expect([a, ...list].map((x) => x.item())).toEqual([1, 2, 3]);
      expect(mx.liveTensors()).toBe(baseline + 3);
    });
  });

  it("frees everything when it throws", () => {
    expect(() =>
      mx.scope(() => {
        mx.tensor([1]);
        throw new Error("halfway");
      }),
    ).toThrow("halfway");
  });

  it("refuses a promise", () => {
    expect(() => mx.scope(async () => mx.tensor([1]))).toThrow(/scope\(\) takes a synchronous function/);
  });

  it("leaves retained and untracked tensors alone", () => {
    const kept: mx.Tensor[] = [];
    mx.scope(() => {
      kept.push(mx.retain(mx.tensor([1])), mx.untracked(() => mx.tensor([2])));
    });
    expect(kept.map((x) => x.item())).toEqual([1, 2]);
    mx.disposeAll(kept);
  });
});

describe("evaluation", () => {
  it("waits on another thread while JavaScript runs", async () => {
    using a = mx.scope(() => mx.randomNormal([1024, 1024], mx.randomKey(1)));
    mx.evaluate(a);
    using product = mx.scope(() => Array.from({ length: 8 }).reduce<mx.Tensor>((x) => mx.matmul(x, a), a));
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    using fence = mx.asyncEval(product);
    await mx.waitFor(fence);
    clearInterval(timer);
    expect(turns).toBeGreaterThan(0);
    expect(Number.isFinite(product.toArray()[0])).toBe(true);
  });

  it("tells V8 how much memory tensors take", () => {
    const external = (): number => mx.memoryUse().externalBytes;
    const before = external();
    const x = mx.scope(() => mx.randomNormal([1 << 20], mx.randomKey(1)));
    mx.evaluate(x);
    const during = external();
    x.dispose();
    expect(during - before).toBeGreaterThanOrEqual(4 << 20);
    expect(during - external()).toBeGreaterThanOrEqual(4 << 20);
  });

  it("draws the same numbers for the same key", () => {
    const draw = (seed: number): number[] => mx.scope(() => mx.randomNormal([4], mx.randomKey(seed)).toArray());
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
  });
});
