import { expect, it } from "vitest";
import { parseWith } from "../../src/core/json.js";
import { decodeImage } from "../../src/engine/image/decode.js";
import { readImageSource } from "../../src/engine/image/source.js";
import { Mistral3Config } from "../../src/engine/models/mistral3/config.js";
import type { PixtralImage } from "../../src/engine/models/mistral3/processor.js";
import { loadEngine, logitsOf, promptOf } from "./support/engine.js";
import { FIXTURES, readGolden } from "./support/golden.js";
import { MlxCopy } from "./support/layout.js";

// Mistral 3 beside what models.test.ts holds against the references: pixel values, layouts, and what is refused.

const DIR = `${FIXTURES}mistral3/model`;
const PATCH = 8;
const golden = readGolden("mistral3");
const twoPictures = golden.cases.find(({ name }) => name === "two_pictures")!;

it("gives pixel values equal to the reference's, each picture at its own size", async () => {
  const engine = await loadEngine(DIR);
  using _ = engine.architecture;
  const { media } = await promptOf(engine, twoPictures);
  const { data, shape } = golden.require("two_pictures.pixel_values");
  const [, , height, width] = shape as [number, number, number, number];
  media.forEach(({ item }, picture) => {
    const { pixelValues, rows, columns } = item as PixtralImage;
    const expected: number[] = [];
    for (let patch = 0; patch < rows * columns; patch++) {
      for (let i = 0; i < 3 * PATCH ** 2; i++) {
        const [channel, y, x] = [Math.floor(i / PATCH ** 2), Math.floor(patch / columns) * PATCH + (Math.floor(i / PATCH) % PATCH), (patch % columns) * PATCH + (i % PATCH)];
        expected.push(data[((picture * 3 + channel) * height + y) * width + x]!);
      }
    }
    expect(Array.from(pixelValues)).toEqual(expected);
  });
});

it("answers the same from mlx-vlm's layout", async () => {
  using copy = new MlxCopy(DIR, (name) => name.replace(/^vision_tower\./, "vision_tower.vision_model."));
  const logits: number[][] = [];
  for (const dir of [DIR, copy.dir]) {
    const engine = await loadEngine(dir);
    using architecture = engine.architecture;
    using answer = logitsOf(architecture, await promptOf(engine, twoPictures), Int32Array.of(twoPictures.token_ids.length - 1));
    logits.push(answer.toArray());
  }
  expect(logits[1]).toEqual(logits[0]);
});

it("leaves pictures that a raw prompt spells out as they are, each line closed by a break and the last by an end", async () => {
  const { architecture, processor, tokenizer } = await loadEngine(DIR);
  using _ = architecture;
  const images = await Promise.all(["shapes-64x80.png", "gradient-97x61.png"].map(async (name) => decodeImage(await readImageSource(`${FIXTURES}pictures/${name}`))));
  const line = (columns: number): string => "[IMG]".repeat(columns);
  // 64 × 80 pixels are 4 × 5 blocks; 97 × 61 shrink to 96 × 60, rounded up to 6 × 4.
  const spelled = [Array<string>(5).fill(line(4)), Array<string>(4).fill(line(6))].map((lines) => `${lines.join("[IMG_BREAK]")}[IMG_END]`);
  const encode = (text: string): number[] => tokenizer.encode(text);
  const marked = processor!.prepare({ text: "[IMG] and [IMG]", images, encode });
  expect(processor!.prepare({ text: spelled.join(" and "), images, encode })).toEqual(marked);
  expect(marked.tokenIds).toEqual(encode(spelled.join(" and ")));
  expect(() => processor!.prepare({ text: "[IMG]", images, encode })).toThrow("2 pictures");
});

it.each([
  ["vision_config", { hidden_act: "relu" }, "vision_config.hidden_act"],
  ["text_config", { model_type: "mistral4" }, "text_config.model_type"],
] as const)("refuses %s with %o by name", (part, own, name) => {
  const sizes = { hidden_size: 64, num_hidden_layers: 2, intermediate_size: 64, num_attention_heads: 4, vocab_size: 384, max_position_embeddings: 4096 };
  const config = { model_type: "mistral3", text_config: sizes, vision_config: {} };
  expect(() => parseWith(Mistral3Config, { ...config, [part]: { ...config[part], ...own } }, "config.json")).toThrow(name);
});
