import { existsSync, readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { disposeAll, evaluated, liveTensors, scope } from "../../src/engine/mlx/index.js";
import { load, type Model } from "../../src/engine/model.js";
import { digest, FixtureModel, storedModel } from "./support/converted.js";
import { logitsOf, loadEngine, promptOf, type Engine } from "./support/engine.js";
import { FIXTURES, readGolden, relativeError, rmsError, type GoldenCase } from "./support/golden.js";

// Each model against its reference implementation (the oracle is named in golden.json): the same rendered prompt and token ids,
// features of pictures where the fixture has them, logits in float32 within 1e-4 of the largest; the same greedy tokens. Of most quantised
// models only the answers are stored: the folder is made by `convert`, and its weights are those of the folder that the reference had.

/** float32 arithmetic in another order. */
const TOLERANCE = 1e-4;

/** Whether rows choose among experts. */
function hasExperts(fixture: string): boolean {
  const config = JSON.parse(readFileSync(`${storedModel(fixture)}/config.json`, "utf8")) as Experts & { text_config?: Experts };
  return (config.num_experts ?? config.text_config?.num_experts ?? 0) > 0;
}

interface Experts {
  num_experts?: number;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

/** Every fixture that holds conversations; the embedded model's goldens go with models/tiny. */
const MODELS = readdirSync(FIXTURES, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && existsSync(`${FIXTURES}${entry.name}/golden.safetensors`) && readGolden(entry.name).cases.some(({ messages }) => messages !== undefined))
  .map(({ name }) => ({ fixture: name }));

describe.each(MODELS)("$fixture", ({ fixture }) => {
  const golden = readGolden(fixture);
  let folder: FixtureModel;
  let engine: Engine;
  let baseline: number;

  beforeAll(async () => {
    baseline = liveTensors();
    folder = await FixtureModel.open(fixture);
    engine = await loadEngine(folder.dir);
  });

  afterAll(() => {
    engine.architecture[Symbol.dispose]();
    expect(liveTensors()).toBe(baseline);
    folder[Symbol.dispose]();
  });

  const { converted } = golden;
  if (converted !== undefined) it("is the folder that the reference answered from", () => expect(digest(folder.dir)).toBe(converted.weights));

  describe.each(golden.cases)("$name", (one) => {
    it("renders the same prompt and the same token ids", async () => {
      expect(engine.template.render(one.messages, { pictureMark: engine.processor?.pictureMark })).toBe(one.prompt);
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

describe.each(MODELS)("$fixture, generating", ({ fixture }) => {
  const golden = readGolden(fixture);
  let folder: FixtureModel;
  let model: Model;

  beforeAll(async () => {
    folder = await FixtureModel.open(fixture);
    model = await load(folder.dir);
  });

  afterAll(async () => {
    await model.dispose();
    folder[Symbol.dispose]();
  });

  it.each(golden.cases)("$name: the same greedy tokens", async ({ messages, greedy_token_ids: expected, greedy_text }) => {
    const output = await model.chat(messages, { temperature: 0, repetitionPenalty: 1, maxTokens: expected.length });
    expect(output.tokenIds).toEqual(expected);
    expect(output.text).toBe(greedy_text);
  });
});

describe.each(MODELS.filter(({ fixture }) => fixture.endsWith("bf16")))("$fixture in bfloat16", ({ fixture }) => {
  const golden = readGolden(fixture);
  let folder: FixtureModel;
  let engine: Engine;

  beforeAll(async () => {
    folder = await FixtureModel.open(fixture);
    engine = await loadEngine(folder.dir, "bfloat16");
  });

  afterAll(() => {
    engine.architecture[Symbol.dispose]();
    folder[Symbol.dispose]();
  });

  const bothOf = async (one: GoldenCase): Promise<{ ours: number[]; reference: number[]; exact: number[]; rows: number }> => {
    const rows = golden.require(`${one.name}.logit_positions`).data as Int32Array<ArrayBuffer>;
    using logits = logitsOf(engine.architecture, await promptOf(engine, one), rows);
    const [reference, exact] = ["logits_bfloat16", "logits"].map((name) => Array.from(golden.require(`${one.name}.${name}`).data)) as [number[], number[]];
    return { ours: logits.toArray(), reference, exact, rows: rows.length };
  };

  // bfloat16 keeps 8 bits, so nobody's logits are close to float32's: the measure is how far the reference itself is off, on
  // average, since the largest of a few thousand roundings is chance.
  if (!hasExperts(fixture)) it.each(golden.cases)("$name: as close to float32 as the reference is", async (one) => {
    const { ours, reference, exact } = await bothOf(one);
    expect(rmsError(ours, exact)).toBeLessThan(1.5 * rmsError(reference, exact));
  });
  // A rounding may send a row to another expert, which makes it and those after it something else, in the reference too: what counts is the typical row.
  else it("typical rows are as close to float32 as the reference's are", async () => {
    const errors: { ours: number[]; reference: number[] } = { ours: [], reference: [] };
    for (const one of golden.cases) {
      const { ours, reference, exact, rows } = await bothOf(one);
      const width = exact.length / rows;
      const row = (of: number[], i: number): number[] => of.slice(i * width, (i + 1) * width);
      for (let i = 0; i < rows; i++) {
        errors.ours.push(rmsError(row(ours, i), row(exact, i)));
        errors.reference.push(rmsError(row(reference, i), row(exact, i)));
      }
    }
    expect(median(errors.ours)).toBeLessThan(1.5 * median(errors.reference));
  });
});
