import { expect, it } from "vitest";
import { parseWith } from "../../src/core/json.js";
import { LlavaNextConfig } from "../../src/engine/models/llava_next/config.js";
import type { TiledImage } from "../../src/engine/models/llava_next/processor.js";
import { loadEngine, logitsOf, promptOf } from "./support/engine.js";
import { FIXTURES, readGolden } from "./support/golden.js";
import { MlxCopy } from "./support/layout.js";

// LLaVA-NeXT beside what models.test.ts holds against the references: pixel values of the tiles, layouts, and what is refused.

const DIR = `${FIXTURES}llava-next/model`;
const PATCH = 8;
const golden = readGolden("llava-next");
const twoPictures = golden.cases.find(({ name }) => name === "two_pictures")!;

it("cuts each picture into the reference's tiles, pixel values equal", async () => {
  const engine = await loadEngine(DIR);
  using _ = engine.architecture;
  const { media } = await promptOf(engine, twoPictures);
  const { data, shape } = golden.require("two_pictures.pixel_values");
  const [, tiles, , side] = shape as [number, number, number, number];
  const columns = side / PATCH;
  const features = 3 * PATCH ** 2;
  media.forEach(({ item }, picture) => {
    const { pixelValues, tileRows, tileColumns } = item as TiledImage;
    expect(pixelValues).toHaveLength((1 + tileRows * tileColumns) * 3 * side ** 2);
    const expected = Array.from(pixelValues, (_value, at) => {
      const [patch, i] = [Math.floor(at / features), at % features];
      const [tile, place] = [Math.floor(patch / columns ** 2), patch % columns ** 2];
      const [channel, y, x] = [Math.floor(i / PATCH ** 2), Math.floor(place / columns) * PATCH + (Math.floor(i / PATCH) % PATCH), (place % columns) * PATCH + (i % PATCH)];
      return data[(((picture * tiles + tile) * 3 + channel) * side + y) * side + x];
    });
    expect(Array.from(pixelValues)).toEqual(expected);
  });
});

it("answers the same from mlx-vlm's layout, where kernels have their channels last", async () => {
  using copy = new MlxCopy(DIR, (name) => name);
  const logits: number[][] = [];
  for (const dir of [DIR, copy.dir]) {
    const engine = await loadEngine(dir);
    using architecture = engine.architecture;
    using answer = logitsOf(architecture, await promptOf(engine, twoPictures), Int32Array.of(twoPictures.token_ids.length - 1));
    logits.push(answer.toArray());
  }
  expect(logits[1]).toEqual(logits[0]);
});

it.each([
  [{ image_grid_pinpoints: [[336, 500]] }, "image_grid_pinpoints"],
  [{ vision_feature_select_strategy: "full" }, "vision_feature_select_strategy"],
])("refuses %o by the field's name", (own, name) => {
  expect(() => parseWith(LlavaNextConfig, { model_type: "llava_next", text_config: {}, vision_config: {}, ...own }, "config.json")).toThrow(name);
});
