import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { disposeAll, evaluated, liveTensors, scope } from "../../src/engine/mlx/index.js";
import { load, type Model } from "../../src/engine/model.js";
import { logitsOf, loadEngine, promptOf, type Engine } from "./support/engine.js";
import { FIXTURES, readGolden, relativeError, rmsError } from "./support/golden.js";

// Each model against its reference implementation (the oracle is named in golden.json): the same rendered prompt and token ids,
// features of pictures where the fixture has them, logits in float32 within 1e-4 of the largest; the same greedy tokens.

/** float32 arithmetic in another order. */
const TOLERANCE = 1e-4;

/** Every fixture that holds conversations; the embedded model's goldens go with models/tiny. */
const MODELS = readdirSync(FIXTURES, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && existsSync(`${FIXTURES}${entry.name}/golden.json`) && readGolden(entry.name).cases.some(({ messages }) => messages !== undefined))
  .map(({ name }) => ({ fixture: name, dir: name === "embedded" ? fileURLToPath(new URL("../../models/tiny", import.meta.url)) : `${FIXTURES}${name}/model` }));

describe.each(MODELS)("$fixture", ({ fixture, dir }) => {
  const golden = readGolden(fixture);
  let engine: Engine;
  let baseline: number;

  beforeAll(async () => {
    baseline = liveTensors();
    engine = await loadEngine(dir);
  });

  afterAll(() => {
    engine.architecture[Symbol.dispose]();
    expect(liveTensors()).toBe(baseline);
  });

  describe.each(golden.cases)("$name", (one) => {
    it("renders the same prompt and the same token ids", async () => {
      expect(engine.template.render(one.messages)).toBe(one.prompt);
      expect((await promptOf(engine, one)).tokenIds).toEqual(one.token_ids);
    });

    const vision = golden.tensor(`${one.name}.vision_output`);
    if (vision !== undefined) it("sees the same features", async () => {
      const { media } = await promptOf(engine, one);
      const features = scope(() => media.filter(({ item }) => item.kind !== "audio").map(({ item }) => engine.architecture.encode!(item)));
      const all = features.flatMap(({ embeddings, deepstack = [] }) => [embeddings, ...deepstack]);
      try {
        await evaluated(...all);
        const width = vision.shape[1]!;
        const rows = golden.tensor(`${one.name}.vision_rows`)?.data;
        const pick = (values: number[]): number[] => (rows === undefined ? values : Array.from(rows).flatMap((row) => values.slice(row * width, (row + 1) * width)));
        const at = (level: number | "output"): number[] => pick(features.flatMap(({ embeddings, deepstack }) => (level === "output" ? embeddings : deepstack![level]!).toArray()));
        expect(relativeError(at("output"), vision.data)).toBeLessThan(TOLERANCE);
        for (let level = 0; level < (features[0]?.deepstack?.length ?? 0); level++) {
          expect(relativeError(at(level), golden.require(`${one.name}.deepstack_${level}`).data)).toBeLessThan(TOLERANCE);
        }
      } finally {
        disposeAll(all);
      }
    });

    it("computes the same logits", async () => {
      const rows = golden.require(`${one.name}.logit_positions`).data as Int32Array<ArrayBuffer>;
      using logits = logitsOf(engine.architecture, await promptOf(engine, one), rows);
      expect(relativeError(logits.toArray(), golden.require(`${one.name}.logits`).data)).toBeLessThan(TOLERANCE);
    });
  });
});

describe.each(MODELS)("$fixture, generating", ({ fixture, dir }) => {
  const golden = readGolden(fixture);
  let model: Model;

  beforeAll(async () => {
    model = await load(dir);
  });

  afterAll(async () => {
    await model.dispose();
  });

  it.each(golden.cases)("$name: the same greedy tokens", async ({ messages, greedy_token_ids: expected, greedy_text }) => {
    const output = await model.chat(messages, { temperature: 0, repetitionPenalty: 1, maxTokens: expected.length });
    expect(output.tokenIds).toEqual(expected);
    expect(output.text).toBe(greedy_text);
  });
});

describe.each(MODELS.filter(({ fixture }) => fixture.endsWith("bf16")))("$fixture in bfloat16", ({ fixture, dir }) => {
  const golden = readGolden(fixture);
  let engine: Engine;

  beforeAll(async () => {
    engine = await loadEngine(dir, "bfloat16");
  });

  afterAll(() => engine.architecture[Symbol.dispose]());

  // bfloat16 keeps 8 bits, so nobody's logits are close to float32's: the measure is how far the reference itself is off, on
  // average, since the largest of a few thousand roundings is chance.
  it.each(golden.cases)("$name: as close to float32 as the reference is", async (one) => {
    const exact = golden.require(`${one.name}.logits`).data;
    const rows = golden.require(`${one.name}.logit_positions`).data as Int32Array<ArrayBuffer>;
    using logits = logitsOf(engine.architecture, await promptOf(engine, one), rows);
    expect(rmsError(logits.toArray(), exact)).toBeLessThan(1.5 * rmsError(golden.require(`${one.name}.logits_bfloat16`).data, exact));
  });
});
