import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Session } from "../../src/engine/cache/session.js";
import { prefill } from "../../src/engine/generate/prefill.js";
import { loadEngine, logitsOf, promptOf, type Engine } from "./support/engine.js";
import { FIXTURES, readGolden, relativeError } from "./support/golden.js";

// What is Phi-3's own: frequencies chosen by the whole prompt's length, all layers with a window.

/** float32 sums in another order. */
const TOLERANCE = 1e-4;

describe.each(["phi3", "phi3-bf16"])("%s", (fixture) => {
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
