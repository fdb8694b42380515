import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fileURLToPath } from "node:url";
import { disposeAll, evaluated, liveTensors, scope } from "../../src/engine/mlx/index.js";
import { load, type Model } from "../../src/engine/model.js";
import { positionIds } from "../../src/engine/models/qwen3_vl/positions.js";
import type { QwenImage } from "../../src/engine/models/qwen3_vl/processor.js";
import { logitsOf, loadEngine, promptOf, type Engine } from "./support/engine.js";
import { FIXTURES, readGolden, relativeError, rmsError, type GoldenCase } from "./support/golden.js";

// Each model against its reference implementation (the oracle is named in golden.json): the same rendered prompt, token ids,
// pictures and positions; logits in float32 within 1e-4 of the largest; the same greedy tokens.

/** float32 arithmetic in another order. */
const TOLERANCE = 1e-4;

const MODELS = [
  { fixture: "qwen3", dir: `${FIXTURES}qwen3/model` },
  { fixture: "qwen3-bf16", dir: `${FIXTURES}qwen3-bf16/model` },
  { fixture: "qwen3-4bit", dir: `${FIXTURES}qwen3-4bit/model` },
  { fixture: "qwen3-mixed", dir: `${FIXTURES}qwen3-mixed/model` },
  { fixture: "qwen3-vl", dir: `${FIXTURES}qwen3-vl/model` },
  { fixture: "qwen3-vl-bf16", dir: `${FIXTURES}qwen3-vl-bf16/model` },
  { fixture: "qwen3-vl-4bit", dir: `${FIXTURES}qwen3-vl-4bit/model` },
  { fixture: "embedded", dir: fileURLToPath(new URL("../../models/tiny", import.meta.url)) },
];

async function qwenImages(engine: Engine, one: GoldenCase): Promise<QwenImage[]> {
  return (await promptOf(engine, one)).media.map(({ item }) => item as QwenImage);
}

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

    const pixels = golden.tensor(`${one.name}.pixel_values_u8`);
    if (pixels !== undefined) it("prepares the same pictures", async () => {
      const images = await qwenImages(engine, one);
      expect(images.flatMap(({ gridThw }) => gridThw)).toEqual(Array.from(golden.require(`${one.name}.image_grid_thw`).data));
      const actual = images.flatMap(({ pixelValues }) => Array.from(pixelValues, (x) => Math.round((x + 1) * 127.5)));
      expect(actual).toEqual(Array.from(pixels.data));
    });

    const positions = golden.tensor(`${one.name}.position_ids`);
    if (positions !== undefined) it("stands at the same positions", async () => {
      const { tokenIds, media } = await promptOf(engine, one);
      const { ids, next } = positionIds(tokenIds.length, media.map(({ start, item }) => ({ start, gridThw: (item as QwenImage).gridThw })), 2);
      expect(Array.from(ids)).toEqual(Array.from(positions.data));
      expect(next - tokenIds.length).toBe(one.rope_delta);
    });

    const vision = golden.tensor(`${one.name}.vision_output`);
    if (vision !== undefined) it("sees the same features", async () => {
      const images = await qwenImages(engine, one);
      const features = scope(() => images.map((image) => engine.architecture.encode!(image)));
      const all = features.flatMap(({ embeddings, deepstack = [] }) => [embeddings, ...deepstack]);
      try {
        await evaluated(...all);
        const width = vision.shape[1]!;
        const rows = golden.tensor(`${one.name}.vision_rows`)?.data;
        const pick = (values: number[]): number[] => (rows === undefined ? values : Array.from(rows).flatMap((row) => values.slice(row * width, (row + 1) * width)));
        const at = (level: number | "output"): number[] => pick(features.flatMap(({ embeddings, deepstack }) => (level === "output" ? embeddings : deepstack![level]!).toArray()));
        expect(relativeError(at("output"), vision.data)).toBeLessThan(TOLERANCE);
        for (const level of [0, 1]) expect(relativeError(at(level), golden.require(`${one.name}.deepstack_${level}`).data)).toBeLessThan(TOLERANCE);
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
