import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseWith } from "../../src/core/json.js";
import { RotatingKVCache } from "../../src/engine/cache/rotating-kv-cache.js";
import { Session } from "../../src/engine/cache/session.js";
import { scope, tensor } from "../../src/engine/mlx/index.js";
import type { Prompt } from "../../src/engine/models/architecture.js";
import { Ministral3Config } from "../../src/engine/models/ministral3/config.js";
import { MistralConfig } from "../../src/engine/models/mistral/config.js";
import { loadEngine, logitsOf, promptOf, type Engine } from "./support/engine.js";
import { prefill } from "./support/generate.js";
import { FIXTURES, readGolden, relativeError } from "./support/golden.js";

// What Mistral's families add to Llama: a window of attention, whose cache keeps no more than it, and queries that grow with their
// position. That both are the reference's, models.test.ts shows in one pass; here, that passes and caches do not change them.

/** float32 sums in another order. */
const TOLERANCE = 1e-4;

describe.each([
  ["mistral-window", 19],
  ["ministral3-bf16", undefined],
  ["mistral3-ministral", 21],
] as const)("%s", (fixture, window) => {
  const golden = readGolden(fixture);
  let engine: Engine;

  beforeAll(async () => {
    engine = await loadEngine(`${FIXTURES}${fixture}/model`);
  });

  afterAll(() => engine.architecture[Symbol.dispose]());

  const lastLogits = (prompt: Prompt): number[] => {
    using logits = logitsOf(engine.architecture, prompt, Int32Array.of(prompt.tokenIds.length - 1));
    return logits.toArray();
  };
  const expectHeld = (session: Session): void => {
    for (const cache of session.caches) {
      expect(cache instanceof RotatingKVCache).toBe(window !== undefined);
      for (const held of cache.tensors()) expect(held.dim(2)).toBeLessThanOrEqual(window ?? Infinity);
    }
  };

  it("has prompts longer than its window", () => {
    expect(Math.max(...golden.cases.map(({ token_ids }) => token_ids.length))).toBeGreaterThan(3 * (window ?? 24));
  });

  describe.each(golden.cases)("$name", (one) => {
    it.each([512, 13, 5, 1])("prefilled in chunks of %i rows: the same as in one pass", async (chunk) => {
      const prompt = await promptOf(engine, one);
      using session = new Session(engine.architecture.createCache());
      using logits = await prefill(engine.architecture, prompt, session, { chunk });
      expect(relativeError(logits.toArray(), lastLogits(prompt))).toBeLessThan(TOLERANCE);
      expectHeld(session);
    });

    it("continued token by token, and then by several at once: the same as the whole", async () => {
      const { architecture } = engine;
      const prompt = await promptOf(engine, one);
      using session = new Session(architecture.createCache());
      (await prefill(architecture, prompt, session)).dispose();
      const tokenIds = [...prompt.tokenIds];
      for (const id of one.greedy_token_ids) {
        const rotary = { offset: tokenIds.length };
        using logits = scope(() => architecture.logits(architecture.decode({ embeddings: architecture.embed(tensor(Int32Array.of(id), [1, 1])), rotary }, session.caches)));
        tokenIds.push(id);
        session.append([id]);
        expect(relativeError(logits.toArray(), lastLogits({ ...prompt, tokenIds }))).toBeLessThan(TOLERANCE);
      }
      // The next turn begins with all of this.
      const longer = { ...prompt, tokenIds: [...tokenIds, ...one.token_ids.slice(0, 4)] };
      let cached = 0;
      using logits = await prefill(architecture, longer, session, { onPrefill: (rows) => (cached = rows) });
      expect(cached).toBe(tokenIds.length);
      expect(relativeError(logits.toArray(), lastLogits(longer))).toBeLessThan(TOLERANCE);
      expectHeld(session);
    });
  });
});

const sizes = { hidden_size: 64, num_hidden_layers: 2, intermediate_size: 64, num_attention_heads: 4, vocab_size: 384, max_position_embeddings: 32768 };

it("has the window of transformers' class where a folder says nothing, and none where it says null", () => {
  const window = (own: object): unknown => parseWith(MistralConfig, { model_type: "mistral", ...sizes, ...own }, "config.json").text.sliding_window;
  expect([window({}), window({ sliding_window: null }), window({ sliding_window: 1024 })]).toEqual([4096, undefined, 1024]);
});

it.each([
  [MistralConfig, "mistral", { attention_bias: true }, "attention_bias"],
  [MistralConfig, "mistral", { layer_types: ["full_attention", "sliding_attention"] }, "layer_types"],
  [MistralConfig, "mistral", { rope_scaling: { rope_type: "yarn", factor: 2, llama_4_scaling_beta: 0.1 } }, "llama_4_scaling_beta"],
  [Ministral3Config, "ministral3", {}, "rope_parameters"],
  [Ministral3Config, "ministral3", { rope_parameters: { rope_type: "yarn", factor: 2, original_max_position_embeddings: 16384 } }, "llama_4_scaling_beta"],
])("refuses what it does not compute by the field's name: %#", (schema, model_type, own, name) => {
  expect(() => parseWith(schema, { model_type, ...sizes, ...own }, "config.json")).toThrow(name);
});
