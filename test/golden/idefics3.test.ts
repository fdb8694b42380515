import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Idefics3Image } from "../../src/engine/models/idefics3/processor.js";
import { loadEngine, promptOf, type Engine } from "./support/engine.js";
import { FIXTURES, readGolden } from "./support/golden.js";

// What Idefics3 and SmolVLM see of pictures, against transformers with Pillow: tiles to the bit, after Lanczos resampling.

describe.each(["idefics3", "smolvlm"])("%s", (fixture) => {
  const golden = readGolden(fixture);
  let engine: Engine;
  beforeAll(async () => void (engine = await loadEngine(`${FIXTURES}${fixture}/model`)));
  afterAll(() => engine.architecture[Symbol.dispose]());

  const withPixels = golden.cases.filter(({ name }) => golden.tensor(`${name}.pixel_values`) !== undefined);
  it.each(withPixels)("$name: cuts the same tiles", async (one) => {
    const images = (await promptOf(engine, one)).media.map(({ item }) => item as Idefics3Image);
    const expected = golden.require(`${one.name}.pixel_values`);
    const [, tiles, , height, width] = expected.shape;
    expect(images.reduce((sum, image) => sum + image.tiles, 0)).toBe(tiles);
    for (const { sidePx } of images) expect([sidePx, sidePx]).toEqual([height, width]);
    const actual = images.flatMap(({ pixelValues }) => Array.from(pixelValues));
    expect(actual).toEqual(Array.from(expected.data));
  });
});
