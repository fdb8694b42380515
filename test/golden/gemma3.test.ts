import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KVCache } from "../../src/engine/cache/kv-cache.js";
import { RotatingKVCache } from "../../src/engine/cache/rotating-kv-cache.js";
import { Session } from "../../src/engine/cache/session.js";
import { prefill } from "../../src/engine/generate/prefill.js";
import { evaluated, liveTensors, scope, tensor, type Tensor } from "../../src/engine/mlx/index.js";
import type { Prompt } from "../../src/engine/models/architecture.js";
import { loadEngine, logitsOf, promptOf, type Engine } from "./support/engine.js";
import { FIXTURES, readGolden, relativeError } from "./support/golden.js";

// What is Gemma 3's own: layers that see a window, the cache that keeps no more than it, pictures whose rows see each other.

/** float32 sums in another order. */
const TOLERANCE = 1e-4;

/** Rows `[1, 1, n, 1]` that hold their positions. */
function rowsAt(start: number, end: number): Tensor {
  return tensor(Float32Array.from({ length: end - start }, (_, i) => start + i), [1, 1, end - start, 1]);
}

/** Which positions attention gets when rows [start, end) are added. */
function added(cache: RotatingKVCache, start: number, end: number): number[] {
  using keys = scope(() => {
    const rows = rowsAt(start, end);
    return cache.update(rows, rows).keys;
  });
  return keys.toArray();
}

const upTo = (start: number, end: number): number[] => Array.from({ length: end - start }, (_, i) => start + i);

describe("a cache that keeps a window", () => {
  it("gives single rows their window in any order, and never holds more", async () => {
    using cache = new RotatingKVCache(5);
    for (let position = 0; position < 17; position++) {
      const seen = added(cache, position, position + 1);
      expect(seen.toSorted((a, b) => a - b)).toEqual(upTo(Math.max(0, position - 4), position + 1));
      await evaluated(...cache.tensors());
      for (const held of cache.tensors()) expect(held.dim(2)).toBeLessThanOrEqual(5);
    }
    expect(cache.length).toBe(17);
  });

  it.each([[[3, 4, 1, 1, 6, 2, 1, 11, 1, 5, 1, 1]], [[5, 5, 5]], [[12, 1, 3]], [[1, 1, 1, 1, 1, 2, 1]]])("gives several rows those before them in order: %j", (lengths) => {
    using cache = new RotatingKVCache(5);
    let position = 0;
    for (const length of lengths) {
      const past = cache.before(length);
      const seen = added(cache, position, position + length);
      position += length;
      if (length === 1) expect(seen.toSorted((a, b) => a - b)).toEqual(upTo(Math.max(0, position - 5), position));
      else expect(seen).toEqual(upTo(position - length - past, position));
      expect(past).toBeGreaterThanOrEqual(Math.min(position - length, 4));
      for (const held of cache.tensors()) expect(held.dim(2)).toBeLessThanOrEqual(5);
    }
  });

  it("goes back only while the window of the next row is still there", () => {
    using cache = new RotatingKVCache(5);
    added(cache, 0, 5);
    expect([0, 3, 5, 6].map((length) => cache.canTrim(length))).toEqual([true, true, true, false]);
    cache.trim(3);
    expect(added(cache, 3, 5)).toEqual([0, 1, 2, 3, 4]);
    added(cache, 5, 9);
    expect([0, 7, 8, 9].map((length) => cache.canTrim(length))).toEqual([false, false, true, true]);
    expect(() => cache.trim(4)).toThrow(/window/);
    // The step that nobody has seen is taken back, and another one takes its place.
    cache.trim(8);
    expect(added(cache, 8, 9).toSorted((a, b) => a - b)).toEqual([4, 5, 6, 7, 8]);
    cache.trim(8);
    expect(added(cache, 8, 10)).toEqual([4, 5, 6, 7, 8, 9]);
  });
});

const FIXTURE_NAMES = ["gemma3-text", "gemma3-text-bf16"];

describe.each(FIXTURE_NAMES)("%s", (fixture) => {
  const golden = readGolden(fixture);
  let engine: Engine;
  let baseline: number;

  beforeAll(async () => {
    baseline = liveTensors();
    engine = await loadEngine(`${FIXTURES}${fixture}/model`);
  });

  afterAll(() => {
    engine.architecture[Symbol.dispose]();
    expect(liveTensors()).toBe(baseline);
  });

  describe.each(golden.cases)("$name", (one) => {
    let prompt: Prompt;
    let expected: number[];

    beforeAll(async () => {
      prompt = await promptOf(engine, one);
      using logits = logitsOf(engine.architecture, prompt, Int32Array.of(prompt.tokenIds.length - 1));
      expected = logits.toArray();
    });

    it.each([512, 13, 5, 2, 1])("prefilled in chunks of %i rows: the same as in one pass, and sliding layers hold their window", async (chunk) => {
      using session = new Session(engine.architecture.createCache());
      using logits = await prefill(engine.architecture, prompt, session, { chunk });
      expect(relativeError(logits.toArray(), expected)).toBeLessThan(TOLERANCE);
      const sliding = session.caches.filter((cache) => cache instanceof RotatingKVCache);
      expect(sliding.length).toBeGreaterThan(0);
      expect(session.caches.some((cache) => cache instanceof KVCache)).toBe(true);
      for (const cache of sliding) for (const held of cache.tensors()) expect(held.dim(2)).toBeLessThanOrEqual(cache.window);
    });

    it("continued token by token: the same as the whole in one pass", async () => {
      const { architecture } = engine;
      using session = new Session(architecture.createCache());
      (await prefill(architecture, prompt, session)).dispose();
      const { next } = architecture.plan(prompt);
      const whole = [...prompt.tokenIds];
      for (const [step, id] of one.greedy_token_ids.entries()) {
        whole.push(id);
        using logits = scope(() => architecture.logits(architecture.decode({ embeddings: architecture.embed(tensor(Int32Array.of(id), [1, 1])), rotary: { offset: next + step } }, session.caches)));
        using uncached = logitsOf(architecture, { tokenIds: whole, media: prompt.media }, Int32Array.of(whole.length - 1));
        expect(relativeError(logits.toArray(), uncached.toArray())).toBeLessThan(TOLERANCE);
      }
    });
  });
});
