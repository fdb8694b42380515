import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fileURLToPath } from "node:url";
import { Session } from "../../src/engine/cache/session.js";
import type { Constraint } from "../../src/engine/generate/sampler.js";
import { clearCache, liveTensors, memoryUse } from "../../src/engine/mlx/index.js";
import { load, type Model } from "../../src/engine/model.js";
import type { Prompt } from "../../src/engine/models/architecture.js";
import { layOutImages, type QwenImage } from "../../src/engine/models/qwen-vl-prompt.js";
import { loadEngine, promptOf, type Engine } from "../golden/support/engine.js";
import { prefill, TestScheduler } from "../golden/support/generate.js";
import { FIXTURES, readGolden, relativeError } from "../golden/support/golden.js";

/** Sums in another order: a chunk's attention adds its keys in other groups. */
const TOLERANCE = 1e-5;

/** Lets each token come that `allows` says may come behind those seen. */
class FakeConstraint implements Constraint {
  readonly seen: number[] = [];
  disposed = false;

  constructor(private readonly allows: (id: number, seen: readonly number[]) => boolean) {}

  get mask(): Int32Array {
    const mask = new Int32Array(64);
    for (let id = 0; id < 32 * mask.length; id++) if (this.allows(id, this.seen)) mask[id >> 5]! |= 1 << (id & 31);
    return mask;
  }

  get ended(): boolean {
    return this.mask.every((word) => word === 0);
  }

  async accept(id: number): Promise<void> {
    await Promise.resolve();
    this.seen.push(id);
  }

  [Symbol.dispose](): void {
    this.disposed = true;
  }
}

describe("prefill", () => {
  let engine: Engine;
  let prompt: Prompt;
  const golden = readGolden("qwen3-vl").cases.find(({ name }) => name === "second_turn")!;
  beforeAll(async () => {
    engine = await loadEngine(`${FIXTURES}qwen3-vl/model`);
    prompt = await promptOf(engine, golden);
  });
  afterAll(() => engine.architecture[Symbol.dispose]());

  async function lastLogits(session: Session, of: Prompt, chunk?: number): Promise<number[]> {
    using logits = await prefill(engine.architecture, of, session, { chunk });
    return logits.toArray();
  }

  it.each([1, 3, 7, 16, 50, 86, 87])("in chunks of %i equals one shot", async (chunk) => {
    using whole = new Session(engine.architecture.createCache());
    using chunked = new Session(engine.architecture.createCache());
    expect(relativeError(await lastLogits(chunked, prompt, chunk), await lastLogits(whole, prompt))).toBeLessThan(TOLERANCE);
  });

  it("continued from a cache equals without one, wherever the cache ends", async () => {
    using whole = new Session(engine.architecture.createCache());
    const expected = await lastLogits(whole, prompt);
    const { start, end } = prompt.media[0]!;
    for (const length of [3, Math.floor((start + end) / 2), end, 70, 86]) {
      using session = new Session(engine.architecture.createCache());
      await lastLogits(session, prompt, length);
      session.trim(length);
      let cached = -1;
      using logits = await prefill(engine.architecture, prompt, session, { onPrefill: (rows) => (cached = rows) });
      expect(cached).toBe(length);
      expect(relativeError(logits.toArray(), expected)).toBeLessThan(TOLERANCE);
    }
  });

  it("starts anew when a picture of the same size has other pixels", async () => {
    const span = prompt.media[0]!;
    const image = span.item as QwenImage;
    const item: QwenImage = { ...image, pixelValues: image.pixelValues.map((x) => -x) };
    const changed: Prompt = { tokenIds: prompt.tokenIds, media: [{ ...span, key: "another", item }] };
    using session = new Session(engine.architecture.createCache());
    using fresh = new Session(engine.architecture.createCache());
    await lastLogits(session, prompt);
    const rows: number[] = [];
    using logits = await prefill(engine.architecture, changed, session, { onPrefill: (cached) => rows.push(cached) });
    expect(rows).toEqual([0]);
    expect(relativeError(logits.toArray(), await lastLogits(fresh, changed))).toBeLessThan(TOLERANCE);
  });

  it("keeps nothing of an earlier conversation that is no prefix", async () => {
    using session = new Session(engine.architecture.createCache());
    const text = (ids: number[]): Prompt => ({ tokenIds: ids, media: [] });
    await lastLogits(session, text([1, 2, 3, 4]));
    const rows: number[] = [];
    const onPrefill = (cached: number): void => void rows.push(cached);
    for (const ids of [[1, 2, 3, 4, 5], [1, 2, 3, 4, 5], [1, 2, 9, 4, 5, 6], [1, 2]]) {
      (await prefill(engine.architecture, text(ids), session, { onPrefill })).dispose();
    }
    expect(rows).toEqual([4, 4, 0, 0]);
  });
});

describe("layOutImages", () => {
  const image = (mergedTokens: number) => ({ item: { kind: "image" as const, pixelValues: new Float32Array(), gridThw: [1, 2, 2 * mergedTokens] as [number, number, number], mergedTokens }, key: "k" });
  const P = 9;

  it("gives each mark its picture's places and leaves spelled-out runs", () => {
    expect(layOutImages([1, P, 2, P, P, P, 3], [image(2), image(3)], P).tokenIds).toEqual([1, P, P, 2, P, P, P, 3]);
    expect(layOutImages([1, P, P, 2], [image(3), image(1)], P)).toMatchObject({ tokenIds: [1, P, P, P, P, 2], media: [{ start: 1, end: 4 }, { start: 4, end: 5 }] });
  });

  it.each([
    [[1, 2], [image(2)], 0],
    [[P, 1, P], [image(2)], 2],
  ])("refuses %o with %o", (ids, images, places) => {
    expect(() => layOutImages(ids, images, P)).toThrow(`a place for each of its 1 pictures but it has ${places}`);
  });
});

describe("a generation", () => {
  let engine: Engine;
  beforeAll(async () => void (engine = await loadEngine(`${FIXTURES}qwen3/model`)));
  afterAll(() => engine.architecture[Symbol.dispose]());

  const text = (tokenIds: number[]): Prompt => ({ tokenIds, media: [] });

  it("leaves a cache that continues exactly, also when the caller leaves early", async () => {
    using one = new TestScheduler(engine.architecture);
    const whole = await one.generate(text([5, 6, 7]), { maxTokens: 20 });
    using two = new TestScheduler(engine.architecture);
    const begun: number[] = [];
    await two.generate(text([5, 6, 7]), { maxTokens: 50, onToken: (id) => begun.push(id) < 8 });
    const rest = await two.generate(text([5, 6, 7, ...begun]), { maxTokens: 12 });
    expect([...begun, ...rest]).toEqual(whole);
    let cached = -1;
    await two.generate(text([5, 6, 7, ...whole, 1]), { maxTokens: 1, onPrefill: (rows) => (cached = rows) });
    // The row of the last token was never asked for.
    expect(cached).toBe(3 + 20 - 1);
  });

  it("stops within a step of an abort and keeps the cache usable", async () => {
    using scheduler = new TestScheduler(engine.architecture);
    const expected = await scheduler.generate(text([5, 6, 7]), { maxTokens: 10 });
    const controller = new AbortController();
    const seen: number[] = [];
    const run = scheduler.generate(text([5, 6, 7]), { maxTokens: 50, signal: controller.signal, onToken: (id) => void (seen.push(id) === 3 && controller.abort()) });
    await expect(run).rejects.toMatchObject({ code: "cancelled" });
    expect(seen).toEqual(expected.slice(0, 3));
    expect(await scheduler.generate(text([5, 6, 7]), { maxTokens: 10 })).toEqual(expected);
  });

  it("obeys a constraint that each token changes, leaves the cache as it should be, and ends where nothing may come", async () => {
    using scheduler = new TestScheduler(engine.architecture);
    const free = await scheduler.generate(text([5, 6, 7]), { maxTokens: 12 });
    // Without the constraint's say: the same tokens, though each waits for the one before it.
    const everything = new FakeConstraint(() => true);
    expect(await scheduler.generate(text([5, 6, 7]), { maxTokens: 12, constraint: everything })).toEqual(free);
    expect(everything).toMatchObject({ seen: free, disposed: true });
    // Never the same token twice, six times at most.
    const distinct = new FakeConstraint((id, seen) => seen.length < 6 && !seen.includes(id));
    const tokens = await scheduler.generate(text([5, 6, 7]), { maxTokens: 12, constraint: distinct });
    expect(new Set(tokens).size).toBe(6);
    expect(distinct).toMatchObject({ seen: tokens, disposed: true });
    let cached = -1;
    await scheduler.generate(text([5, 6, 7, ...tokens, 1]), { maxTokens: 1, onPrefill: (rows) => (cached = rows) });
    expect(cached).toBe(3 + 6);
    expect(await scheduler.generate(text([5, 6, 7]), { maxTokens: 12 })).toEqual(free);
  });

  it("refuses a prompt longer than the context before any work", async () => {
    using scheduler = new TestScheduler(engine.architecture);
    const ids = Array.from({ length: engine.architecture.contextLength }, () => 1);
    await expect(scheduler.generate(text(ids), {})).rejects.toMatchObject({ code: "context_length_exceeded", status: 400 });
    await expect(scheduler.generate(text([]), {})).rejects.toMatchObject({ code: "invalid_argument" });
  });
});

describe("memory", () => {
  let model: Model;
  beforeAll(async () => void (model = await load(`${FIXTURES}qwen3-vl/model`, { prefixCacheBytes: 0, featureCacheBytes: 0 })));
  afterAll(() => model.dispose());

  const picture = `${FIXTURES}pictures/gradient-96x64.png`;
  const once = (i: number): Promise<unknown> =>
    // Every kind of path: pictures, a growing conversation, sampling, a fresh start.
    model.generate(`question ${i % 7}`, { images: i % 2 === 0 ? [picture] : [], maxTokens: 4 + (i % 5), seed: i, temperature: i % 3 === 0 ? 0 : 0.7 });

  it("holds as many tensors after 100 generations as before", async () => {
    await once(0);
    await once(1);
    const baseline = liveTensors();
    for (let i = 0; i < 100; i++) await once(i);
    await once(1);
    expect(liveTensors()).toBe(baseline);
  });

  it("stays flat over 500 generations", async () => {
    const settle = (): number => {
      clearCache();
      return memoryUse().activeBytes;
    };
    await once(1);
    const before = settle();
    let most = 0;
    for (let i = 0; i < 500; i++) {
      await once(i);
      if (i % 50 === 49) most = Math.max(most, settle());
    }
    await once(1);
    // Back to the byte, and never more in between than one conversation's cache.
    expect(settle()).toBe(before);
    expect(most).toBeLessThan(before + (1 << 20));
  });
});

describe("the embedded model", () => {
  it("frees every tensor when it is disposed", async () => {
    const baseline = liveTensors();
    {
      await using model = await load(fileURLToPath(new URL("../../models/tiny", import.meta.url)));
      await model.generate("Is OK checked?", { images: [`${FIXTURES}embedded/screens/zenity-empty.png`], maxTokens: 2 });
    }
    expect(liveTensors()).toBe(baseline);
  });
});
