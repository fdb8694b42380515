import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseWith } from "../../src/core/json.js";
import { Idefics3Config } from "../../src/engine/models/idefics3/config.js";
import type { Idefics3Image } from "../../src/engine/models/idefics3/processor.js";
import { loadEngine, logitsOf, promptOf, type Engine } from "./support/engine.js";
import { FIXTURES, readGolden } from "./support/golden.js";
import { MlxCopy } from "./support/layout.js";

// Idefics3 and SmolVLM beside what models.test.ts holds against the references: tiles to the bit after Lanczos resampling (transformers with
// Pillow), layouts, and what is refused.

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

  it("answers the same from mlx-vlm's layout", async () => {
    const mlxName = (name: string): string => name.replace(/^lm_head\./, "language_model.lm_head.").replace(/^model\.(text_model\.)?/, (_, text?: string) => (text === undefined ? "" : "language_model."));
    using copy = new MlxCopy(`${FIXTURES}${fixture}/model`, mlxName);
    const twoPictures = golden.cases.find(({ name }) => name === "two_pictures")!;
    const last = Int32Array.of(twoPictures.token_ids.length - 1);
    const other = await loadEngine(copy.dir);
    using architecture = other.architecture;
    using expected = logitsOf(engine.architecture, await promptOf(engine, twoPictures), last);
    using actual = logitsOf(architecture, await promptOf(other, twoPictures), last);
    expect(actual.toArray()).toEqual(expected.toArray());
  });

  it("refuses a prompt with too few or too many places", async () => {
    const { tokenizer, processor } = engine;
    const images = [{ data: new Uint8Array(30 * 20 * 3), widthPx: 30, heightPx: 20 }];
    const prepare = (text: string): unknown => processor!.prepare({ text, images, encode: (part) => tokenizer.encode(part) });
    expect(() => prepare("none")).toThrow("1 pictures but it has 0");
    expect(() => prepare("<image><image>")).toThrow("1 pictures but it has 2");
  });
});

it.each([
  ["vision_config", { hidden_act: "relu" }, "vision_config.hidden_act"],
  ["text_config", { model_type: "mistral" }, "text_config.model_type"],
  ["text_config", { rope_scaling: { rope_type: "unheard" } }, "text_config.rope_scaling"],
] as const)("refuses %s with %o by name", (part, own, name) => {
  const config = { model_type: "idefics3", text_config: {}, vision_config: {} };
  expect(() => parseWith(Idefics3Config, { ...config, [part]: own }, "config.json")).toThrow(name);
});
