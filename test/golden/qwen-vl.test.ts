import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { positionIds } from "../../src/engine/nn/mrope.js";
import type { QwenImage } from "../../src/engine/models/qwen-vl-prompt.js";
import { loadEngine, promptOf, type Engine } from "./support/engine.js";
import { FIXTURES, readGolden } from "./support/golden.js";

// What Qwen3-VL's prompt is made of, against transformers: patches to the bit, grids, and positions on three axes.

const TINY = fileURLToPath(new URL("../../models/tiny", import.meta.url));

describe.each(["qwen3-vl", "qwen3-vl-bf16", "embedded"])("%s", (fixture) => {
  const golden = readGolden(fixture);
  let engine: Engine;
  beforeAll(async () => void (engine = await loadEngine(fixture === "embedded" ? TINY : `${FIXTURES}${fixture}/model`)));
  afterAll(() => engine.architecture[Symbol.dispose]());

  const withPixels = golden.cases.filter(({ name }) => golden.tensor(`${name}.pixel_values_u8`) !== undefined);
  it.each(withPixels)("$name: prepares the same pictures", async (one) => {
    const images = (await promptOf(engine, one)).media.map(({ item }) => item as QwenImage);
    expect(images.flatMap(({ gridThw }) => gridThw)).toEqual(Array.from(golden.require(`${one.name}.image_grid_thw`).data));
    const actual = images.flatMap(({ pixelValues }) => Array.from(pixelValues, (x) => Math.round((x + 1) * 127.5)));
    expect(actual).toEqual(Array.from(golden.require(`${one.name}.pixel_values_u8`).data));
  });

  const withPositions = golden.cases.filter(({ name }) => golden.tensor(`${name}.position_ids`) !== undefined);
  it.each(withPositions)("$name: stands at the same positions", async (one) => {
    const { tokenIds, media } = await promptOf(engine, one);
    const images = media.map(({ start, item }) => ({ start, gridThw: (item as QwenImage).gridThw }));
    const { ids, next } = positionIds(tokenIds.length, images, 2);
    expect(Array.from(ids)).toEqual(Array.from(golden.require(`${one.name}.position_ids`).data));
    expect(next - tokenIds.length).toBe(one.rope_delta);
  });
});
