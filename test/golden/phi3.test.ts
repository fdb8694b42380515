import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Session } from "../../src/engine/cache/session.js";
import { loadEngine, logitsOf, promptOf, type Engine } from "./support/engine.js";
import { prefill, TestScheduler } from "./support/generate.js";
import { FIXTURES, readGolden, relativeError } from "./support/golden.js";

// What is Phi-3's own: frequencies chosen by the whole prompt's length, all layers with a window.

/** float32 sums in another order. */
const TOLERANCE = 1e-4;

describe.each(["phi3", "phi3-border", "phi3-bf16"])("%s", (fixture) => {
  const golden = readGolden(fixture);
  let engine: Engine;

  beforeAll(async () => {
    engine = await loadEngine(`${FIXTURES}${fixture}/model`);
  });

  afterAll(() => engine.architecture[Symbol.dispose]());

  it.each(golden.cases)("$name: prefilled in chunks, the same as in one pass", async (one) => {
    const prompt = await promptOf(engine, one);
    using whole = logitsOf(engine.architecture, prompt, Int32Array.of(prompt.tokenIds.length - 1));
    for (const chunk of [100, 7]) {
      using session = new Session(engine.architecture.createCache());
      using logits = await prefill(engine.architecture, prompt, session, { chunk });
      expect(relativeError(logits.toArray(), whole.toArray())).toBeLessThan(TOLERANCE);
    }
  });
});

describe("a conversation that grows beyond longrope's border", () => {
  const golden = readGolden("phi3-border");
  const border = 26;
  const { token_ids: start, greedy_token_ids: greedy } = golden.cases.find(({ name }) => name === "short")!;
  let engine: Engine;

  beforeAll(async () => {
    engine = await loadEngine(`${FIXTURES}phi3-border/model`);
  });

  afterAll(() => engine.architecture[Symbol.dispose]());

  const uncached = (tokenIds: number[]): number[] => {
    using logits = logitsOf(engine.architecture, { tokenIds, media: [] }, Int32Array.of(tokenIds.length - 1));
    return logits.toArray();
  };

  it("has its answer begin before and end after it", () => {
    expect(engine.architecture.lengthBorder).toBe(border);
    expect(start.length).toBeLessThan(border);
    expect(start.length + greedy.length).toBeGreaterThan(border + 2);
  });

  // models.test.ts holds the whole answer against the reference's, which computes its cache anew as well.
  it("answers token by token as the whole would without a cache", async () => {
    const whole = [...start];
    for (const id of greedy) {
      const logits = uncached(whole);
      expect(logits.indexOf(Math.max(...logits))).toBe(id);
      whole.push(id);
    }
  });

  it.each([
    ["before it", border - 4, border - 1, border - 4],
    ["up to it", border - 4, border, border - 4],
    ["over it", border - 4, border + 1, 0],
    ["beyond it", border + 1, border + 6, border + 1],
  ])("continues from what is cached only on the same side: %s", async (_, first, then, cachedRows) => {
    const all = [...start, ...greedy];
    using session = new Session(engine.architecture.createCache());
    (await prefill(engine.architecture, { tokenIds: all.slice(0, first), media: [] }, session)).dispose();
    let cached = -1;
    using logits = await prefill(engine.architecture, { tokenIds: all.slice(0, then), media: [] }, session, { onPrefill: (rows) => (cached = rows) });
    expect(cached).toBe(cachedRows);
    expect(relativeError(logits.toArray(), uncached(all.slice(0, then)))).toBeLessThan(TOLERANCE);
  });

  it("goes back over it as well, and on from an answer that crossed it", async () => {
    using session = new TestScheduler(engine.architecture);
    let cached = -1;
    const answer = (tokenIds: number[], own: TestScheduler): Promise<number[]> => own.generate({ tokenIds, media: [] }, { maxTokens: greedy.length, onPrefill: (rows) => (cached = rows) });
    for (let turn = 0; turn < 2; turn++) expect(await answer(start, session)).toEqual(greedy);
    // What was read before the answer crossed it.
    expect(cached).toBe(start.length - 1);
    const next = [...start, ...greedy, ...start.slice(0, 5)];
    using fresh = new TestScheduler(engine.architecture);
    const expected = await answer(next, fresh);
    expect(await answer(next, session)).toEqual(expected);
    expect(cached).toBe(start.length + greedy.length - 1);
  });
});

it("refuses other rope types and factors that do not fit", async () => {
  const dir = `${FIXTURES}phi3/model`;
  const folder = await mkdtemp(join(tmpdir(), "phi3-"));
  const refused = async (rope_scaling: object, message: RegExp): Promise<void> => {
    const config = JSON.parse(await readFile(join(dir, "config.json"), "utf8")) as object;
    await writeFile(join(folder, "config.json"), JSON.stringify({ ...config, rope_scaling }));
    await expect(loadEngine(folder)).rejects.toThrow(message);
  };
  try {
    await cp(dir, folder, { recursive: true });
    await refused({ type: "linear", factor: 2 }, /rope_scaling: Expected rope_type to be default or longrope but received linear/);
    await refused({ type: "longrope", short_factor: [1], long_factor: [1] }, /short_factor of the rope scaling to have 6 entries/);
  } finally {
    await rm(folder, { recursive: true });
  }
});
