import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RecurrentCache } from "../../src/engine/cache/recurrent-cache.js";
import { Session } from "../../src/engine/cache/session.js";
import { evaluated, liveTensors, scope, tensor, zeros } from "../../src/engine/mlx/index.js";
import type { Prompt } from "../../src/engine/models/architecture.js";
import { loadEngine, promptOf, type Engine } from "./support/engine.js";
import { prefill } from "./support/generate.js";
import { FIXTURES, readGolden, relativeError } from "./support/golden.js";

// What is Qwen3.5's own: a running state in place of keys and values, which sessions can only continue.

/** float32 sums in another order. */
const TOLERANCE = 1e-4;

describe("a recurrent cache", () => {
  it("keeps the latest state, goes nowhere but where it stands, and lets go of all", () => {
    const before = liveTensors();
    const cache = new RecurrentCache();
    expect(cache.canTrim(0)).toBe(true);
    scope(() => cache.advance(3, { conv: zeros([1, 3, 2]), memory: zeros([1, 1, 2, 2]) }));
    scope(() => cache.advance(1, { conv: zeros([1, 3, 2]), memory: zeros([1, 1, 2, 2]) }));
    expect(cache.length).toBe(4);
    expect(liveTensors()).toBe(before + 2);
    expect([0, 3, 4, 5].filter((length) => cache.canTrim(length))).toEqual([4]);
    cache.trim(4);
    expect(() => cache.trim(3)).toThrow(/4 rows/);
    cache[Symbol.dispose]();
    expect(cache.length).toBe(0);
    expect(liveTensors()).toBe(before);
  });
});

describe.each(["qwen3-5", "qwen3-5-moe", "qwen3-5-moe-4bit"])("%s", (fixture) => {
  const golden = readGolden(fixture);
  const caseNamed = (name: string): (typeof golden.cases)[number] => golden.cases.find((one) => one.name === name)!;
  let engine: Engine;

  beforeAll(async () => void (engine = await loadEngine(`${FIXTURES}${fixture}/model`)));
  afterAll(() => engine.architecture[Symbol.dispose]());

  async function lastLogits(prompt: Prompt, session: Session, chunk?: number): Promise<number[]> {
    using logits = await prefill(engine.architecture, prompt, session, { chunk });
    await evaluated(logits);
    return logits.toArray();
  }
  /** The reference's logits after the whole prompt, `[vocabulary]`. */
  function expected(name: string): ArrayLike<number> {
    const { data, shape } = golden.require(`${name}.logits`);
    return data.slice(-shape[1]!);
  }

  it.each([1, 2, 5, 17, 512])("gives the reference's logits in chunks of %i rows", async (chunk) => {
    for (const name of ["text", "two_pictures"]) {
      using session = new Session(engine.architecture.createCache());
      expect(relativeError(await lastLogits(await promptOf(engine, caseNamed(name)), session, chunk), expected(name))).toBeLessThan(TOLERANCE);
    }
  });

  it("continues a session exactly, and starts again where it cannot", async () => {
    const prompt = await promptOf(engine, caseNamed("second_turn"));
    using session = new Session(engine.architecture.createCache());
    const half = prompt.tokenIds.length >> 1;
    // The first half, pictures included.
    const beginning: Prompt = { tokenIds: prompt.tokenIds.slice(0, Math.max(half, ...prompt.media.map(({ end }) => end + 1))), media: prompt.media };
    await lastLogits(beginning, session);
    let cached = -1;
    const onPrefill = (rows: number): void => void (cached = rows);
    using continued = await prefill(engine.architecture, prompt, session, { onPrefill });
    expect(cached).toBe(beginning.tokenIds.length);
    expect(relativeError(continued.toArray(), expected("second_turn"))).toBeLessThan(TOLERANCE);
    // The same prompt again needs its last row anew, which lies behind the state.
    using again = await prefill(engine.architecture, prompt, session, { onPrefill });
    expect(cached).toBe(0);
    expect(relativeError(again.toArray(), expected("second_turn"))).toBeLessThan(TOLERANCE);
  });

  it("keeps two sessions apart", async () => {
    const prompts = [await promptOf(engine, caseNamed("text")), await promptOf(engine, caseNamed("one_picture"))];
    const sessions = prompts.map(() => new Session(engine.architecture.createCache()));
    // Interleaved: half of each, then the rest of each.
    for (const [i, prompt] of prompts.entries()) {
      const beginning = Math.max(4, ...prompt.media.map(({ end }) => end));
      await lastLogits({ tokenIds: prompt.tokenIds.slice(0, beginning), media: prompt.media }, sessions[i]!);
    }
    for (const [i, name] of ["text", "one_picture"].entries()) {
      expect(relativeError(await lastLogits(prompts[i]!, sessions[i]!), expected(name))).toBeLessThan(TOLERANCE);
      sessions[i]![Symbol.dispose]();
    }
  });

  it("decodes token by token what it computes in one pass", async () => {
    const { architecture } = engine;
    const one = caseNamed("one_picture");
    const prompt = await promptOf(engine, one);
    using session = new Session(architecture.createCache());
    await lastLogits(prompt, session);
    const { next } = architecture.plan(prompt);
    let stepped: number[] = [];
    for (const [step, id] of one.greedy_token_ids.entries()) {
      using logits = scope(() => {
        const embeddings = architecture.embed(tensor(Int32Array.of(id), [1, 1]));
        return architecture.logits(architecture.decode({ embeddings, rotary: { offset: next + step } }, session.caches));
      });
      await evaluated(logits);
      stepped = logits.toArray();
    }
    const whole: Prompt = { tokenIds: [...prompt.tokenIds, ...one.greedy_token_ids], media: prompt.media };
    using fresh = new Session(architecture.createCache());
    expect(relativeError(stepped, await lastLogits(whole, fresh))).toBeLessThan(TOLERANCE);
  });
});
