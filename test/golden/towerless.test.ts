import { expect, it } from "vitest";
import { loadEngine, logitsOf, promptOf } from "./support/engine.js";
import { FIXTURES, readGolden, relativeError } from "./support/golden.js";
import { ModelCopy } from "./support/model-copy.js";

// Folders of vision models from which the tower has been left out, as mlx-lm writes them, are text models.

it.each([
  ["qwen3-vl", "model.visual."],
  ["qwen3-vl-moe", "model.visual."],
  ["qwen3-5", "model.visual."],
  ["gemma3", "vision_tower.", "multi_modal_projector."],
])("%s without its tower reads text, and answers the same", async (fixture, ...tower) => {
  const golden = readGolden(fixture);
  const one = golden.cases.find(({ name }) => name === "text")!;
  using copy = new ModelCopy(`${FIXTURES}${fixture}/model`);
  copy.changeWeights((tensors) => {
    for (const name of Object.keys(tensors)) if (tower.some((prefix) => name.startsWith(prefix))) delete tensors[name];
  });
  const engine = await loadEngine(copy.dir);
  using architecture = engine.architecture;
  expect(engine.processor).toBeUndefined();
  expect("encode" in architecture && architecture.encode !== undefined).toBe(false);
  expect(architecture.mediaTokenIds).toEqual([]);
  const rows = golden.require("text.logit_positions").data as Int32Array<ArrayBuffer>;
  using logits = logitsOf(architecture, await promptOf(engine, one), rows);
  expect(relativeError(logits.toArray(), golden.require("text.logits").data)).toBeLessThan(1e-4);
});
