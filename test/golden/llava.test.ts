import { expect, it } from "vitest";
import { parseWith } from "../../src/core/json.js";
import { LlavaConfig } from "../../src/engine/models/llava/config.js";
import type { ClipImage } from "../../src/engine/models/llava/processor.js";
import { loadEngine, logitsOf, promptOf } from "./support/engine.js";
import { FIXTURES, readGolden } from "./support/golden.js";
import { MlxCopy } from "./support/layout.js";

// LLaVA beside what models.test.ts holds against the references: pixel values, layouts, and what is refused.

const DIR = `${FIXTURES}llava/model`;
const PATCH = 8;
const golden = readGolden("llava");
const twoPictures = golden.cases.find(({ name }) => name === "two_pictures")!;

it("gives pixel values equal to the reference's: the shorter side resized, the middle cut out", async () => {
  const engine = await loadEngine(DIR);
  using _ = engine.architecture;
  const { media } = await promptOf(engine, twoPictures);
  const { data, shape } = golden.require("two_pictures.pixel_values");
  const side = shape[2]!;
  const columns = side / PATCH;
  const expected = Array.from({ length: data.length }, (_, at) => {
    const i = at % (3 * PATCH ** 2);
    const patch = Math.floor(at / (3 * PATCH ** 2));
    const [picture, place] = [Math.floor(patch / columns ** 2), patch % columns ** 2];
    const [channel, y, x] = [Math.floor(i / PATCH ** 2), Math.floor(place / columns) * PATCH + (Math.floor(i / PATCH) % PATCH), (place % columns) * PATCH + (i % PATCH)];
    return data[((picture * 3 + channel) * side + y) * side + x];
  });
  expect(media.flatMap(({ item }) => Array.from((item as ClipImage).pixelValues))).toEqual(expected);
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

it("reads the sizes that the hub's folders leave out as the reference's classes have them", () => {
  const { text_config, vision_feature_layer } = parseWith(LlavaConfig, { model_type: "llava", text_config: { vocab_size: 32064, max_position_embeddings: 4096 }, vision_config: { num_hidden_layers: 24 } }, "config.json");
  expect(text_config).toMatchObject({ hidden_size: 4096, intermediate_size: 11008, num_hidden_layers: 32, num_key_value_heads: 32, vocab_size: 32064 });
  expect(vision_feature_layer).toEqual([23]);
});

it.each([
  [{ text_config: { model_type: "phi" } }, "text_config.model_type"],
  [{ text_config: { model_type: "mistral", attention_bias: true } }, "text_config.attention_bias"],
  [{ vision_config: { model_type: "dinov2" } }, "vision_config"],
  [{ vision_config: { model_type: "siglip_vision_model" } }, "vision_feature_select_strategy"],
  [{ vision_config: { model_type: "siglip_vision_model", hidden_act: "quick_gelu" }, vision_feature_select_strategy: "full" }, "vision_config.hidden_act"],
  [{ text_config: { model_type: "qwen2", use_sliding_window: true } }, "text_config.use_sliding_window"],
  [{ vision_feature_layer: -26 }, "vision_feature_layer"],
])("refuses %o by the field's name", (own, name) => {
  expect(() => parseWith(LlavaConfig, { model_type: "llava", text_config: {}, vision_config: {}, ...own }, "config.json")).toThrow(name);
});
