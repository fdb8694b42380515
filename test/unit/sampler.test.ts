import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readSampled, Sampler, type Constraint } from "../../src/engine/generate/sampler.js";
import { readModelDefaults, resolveOptions } from "../../src/engine/generate/options.js";
import type { SamplingOptions } from "../../src/engine/inference.js";
import { scope, tensor } from "../../src/engine/mlx/index.js";

const LOGITS = [2, 1.5, 1, 0, -1, -3];

/** How often each token comes in `draws` draws, each with a seed of its own. */
function frequencies(options: SamplingOptions, { draws = 2000, latest, constraint }: { draws?: number; latest?: number[]; constraint?: Constraint } = {}): number[] {
  const counts = LOGITS.map(() => 0);
  for (let seed = 0; seed < draws; seed++) {
    const token = scope(() => {
      const sampler = new Sampler(resolveOptions({ temperature: 1, topP: 1, repetitionPenalty: 1, ...options, seed }, {}), { prompt: latest, constraint });
      return sampler.sample(tensor(LOGITS, [1, LOGITS.length])).token.item();
    });
    counts[token]!++;
  }
  return counts.map((count) => count / draws);
}

function softmax(logits: number[]): number[] {
  const exps = logits.map(Math.exp);
  const total = exps.reduce((a, b) => a + b);
  return exps.map((x) => x / total);
}

/** With 2000 draws a frequency is within 5 standard deviations (≤ 0.0112 each) of its probability in all but 1 case in a million. */
function expectClose(actual: number[], expected: number[]): void {
  actual.forEach((value, i) => expect(Math.abs(value - expected[i]!), `token ${i}: ${value} for ${expected[i]}`).toBeLessThan(0.056));
  // What is excluded never comes.
  expected.forEach((p, i) => p === 0 && expect(actual[i]).toBe(0));
}

const only = (kept: number[], logits = LOGITS): number[] => softmax(logits.map((x, i) => (kept.includes(i) ? x : -Infinity)));

describe("Sampler", () => {
  it("is greedy at temperature 0", () => expect(frequencies({ temperature: 0 }, { draws: 20 })).toEqual([1, 0, 0, 0, 0, 0]));
  it("follows the softmax", () => expectClose(frequencies({}), softmax(LOGITS)));
  it("divides by the temperature", () => expectClose(frequencies({ temperature: 2 }), softmax(LOGITS.map((x) => x / 2))));
  it("keeps top_k", () => expectClose(frequencies({ topK: 2 }), only([0, 1])));
  // Probabilities: 0.47, 0.28, 0.17, 0.06, 0.02, 0.003.
  it("keeps the smallest set that reaches top_p", () => expectClose(frequencies({ topP: 0.8 }), only([0, 1, 2])));
  it("always keeps one token", () => expectClose(frequencies({ topP: 0.01 }, { draws: 50 }), only([0])));
  it("keeps what has min_p of the best", () => expectClose(frequencies({ minP: 0.3 }), only([0, 1, 2])));
  it("applies top_p to what top_k left", () => expectClose(frequencies({ topK: 2, topP: 0.6 }), only([0])));
  it("makes seen tokens less likely, once however often they came", () => expectClose(frequencies({ repetitionPenalty: 1.5 }, { latest: [0, 0, 4] }), softmax([2 / 1.5, 1.5, 1, 0, -1.5, -3])));
  it("penalises before it is greedy", () => expect(frequencies({ temperature: 0, repetitionPenalty: 1.5 }, { draws: 5, latest: [0] })).toEqual([0, 1, 0, 0, 0, 0]));

  it("adds a bias to the logits of ids", () => expectClose(frequencies({ logitBias: { "0": -100, "3": 1.5 } }), softmax([-Infinity, 1.5, 1, 1.5, -1, -3])));

  /** The scores' softmax behind these tokens, as OpenAI's documentation of the two penalties defines it. */
  it.each([
    [{ presencePenalty: 1.5 }, [0, 0, 0, 2], [0.5, 1.5, -0.5, 0, -1, -3]],
    [{ frequencyPenalty: 0.5 }, [0, 0, 0, 2], [0.5, 1.5, 0.5, 0, -1, -3]],
    [{ presencePenalty: -1, frequencyPenalty: 1 }, [0, 0, 0, 2], [0, 1.5, 1, 0, -1, -3]],
  ])("%o counts generated tokens, not the prompt's", async (options, generated, expected) => {
    const sampler = new Sampler(resolveOptions({ temperature: 0, repetitionPenalty: 1, logprobs: 0, ...options }, {}), { prompt: [1, 1, 4] });
    for (const id of generated) await sampler.accept(id);
    // Which token is best with `bias` more on it tells the scores' differences, without a look inside.
    const best = (bias: Record<string, number>): number => {
      const biased = new Sampler(resolveOptions({ temperature: 0, repetitionPenalty: 1, ...options, logitBias: bias }, {}), { prompt: [1, 1, 4] });
      for (const id of generated) void biased.accept(id);
      return scope(() => biased.sample(tensor(LOGITS, [1, LOGITS.length])).token.item());
    };
    const top = Math.max(...expected);
    expected.forEach((score, id) => {
      expect(best({ [id]: top - score + 0.01 })).toBe(id);
      if (score < top) expect(best({ [id]: top - score - 0.01 })).not.toBe(id);
    });
  });

  it("draws only what a constraint allows, by its probabilities", () => {
    const constraint: Constraint = { mask: Int32Array.of(0b01_1010), ended: false, accept: () => Promise.resolve(), [Symbol.dispose]: () => undefined };
    expectClose(frequencies({}, { constraint }), only([1, 3, 4]));
    expectClose(frequencies({ topK: 2 }, { constraint }), only([1, 3]));
    expect(frequencies({ temperature: 0 }, { constraint, draws: 5 })).toEqual([0, 1, 0, 0, 0, 0]);
  });

  it("tells the model's own probabilities, whatever else changes the draw", () => {
    const expected = softmax(LOGITS).map(Math.log);
    const sampler = new Sampler(resolveOptions({ temperature: 0, repetitionPenalty: 2, logitBias: { "4": 100 }, logprobs: 3 }, {}), { prompt: [0] });
    const { id, logprobs } = scope(() => readSampled(sampler.sample(tensor(LOGITS, [1, LOGITS.length]))));
    expect(id).toBe(4);
    expect(logprobs!.chosen).toBeCloseTo(expected[4]!, 5);
    expect(logprobs!.top.map((one) => one.id)).toEqual([0, 1, 2]);
    logprobs!.top.forEach((one, i) => expect(one.logprob).toBeCloseTo(expected[i]!, 5));
  });

  it("gives the same tokens for the same seed", () => {
    const draw = (seed: number): number[] => {
      const sampler = new Sampler(resolveOptions({ temperature: 1, topP: 1, repetitionPenalty: 1, seed }, {}));
      return Array.from({ length: 30 }, () => scope(() => sampler.sample(tensor(LOGITS, [1, LOGITS.length])).token.item()));
    };
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
    expect(new Set(draw(0xffff_ffff)).size).toBeGreaterThan(1);
  });
});

describe("readModelDefaults", () => {
  it("takes what generation_config.json recommends", async () => {
    const dir = await mkdtemp(join(tmpdir(), "deskhand-defaults-"));
    try {
      expect(await readModelDefaults(dir)).toEqual({});
      await writeFile(join(dir, "generation_config.json"), JSON.stringify({ do_sample: true, temperature: 0.6, top_p: 0.95, top_k: 20, min_p: null, repetition_penalty: 1.05, max_new_tokens: 100, eos_token_id: [1] }));
      expect(await readModelDefaults(dir)).toEqual({ maxTokens: 100, temperature: 0.6, topP: 0.95, topK: 20, repetitionPenalty: 1.05 });
      await writeFile(join(dir, "generation_config.json"), JSON.stringify({ do_sample: false, temperature: 0.6 }));
      expect(await readModelDefaults(dir)).toEqual({ temperature: 0 });
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});

describe("resolveOptions", () => {
  it("takes the caller's, then the model's, then the defaults", () => {
    expect(resolveOptions({}, {})).toMatchObject({ maxTokens: 4096, temperature: 0.7, topP: 0.9, topK: 0, minP: 0, repetitionPenalty: 1.1, stop: [] });
    expect(resolveOptions({}, { temperature: 0, repetitionPenalty: 1 })).toMatchObject({ temperature: 0, topP: 0.9, repetitionPenalty: 1 });
    expect(resolveOptions({ temperature: 0.2 }, { temperature: 0 })).toMatchObject({ temperature: 0.2 });
    expect(resolveOptions({ temperature: undefined }, { temperature: 0 })).toMatchObject({ temperature: 0 });
  });

  it.each([
    [{ temperature: -1 }, "temperature"],
    [{ topP: 0 }, "topP"],
    [{ topP: 1.5 }, "topP"],
    [{ maxTokens: 0 }, "maxTokens"],
    [{ maxTokens: 1.5 }, "maxTokens"],
    [{ seed: -1 }, "seed"],
    [{ repetitionPenalty: 0 }, "repetitionPenalty"],
    [{ presencePenalty: 2.5 }, "presencePenalty"],
    [{ frequencyPenalty: -3 }, "frequencyPenalty"],
    [{ logprobs: 21 }, "logprobs"],
    [{ logitBias: { "1": 101 } }, "logitBias.1"],
    [{ logitBias: { hello: 1 } }, "logitBias.hello"],
    [{ temperature: NaN }, "temperature"],
  ])("refuses %o by name", (options, param) => {
    expect(() => resolveOptions(options, {})).toThrow(expect.objectContaining({ code: "invalid_argument", param }));
  });
});
