import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseWith } from "../../src/core/json.js";
import { disposeAll, evaluated, scope } from "../../src/engine/mlx/index.js";
import { Phi3VConfig } from "../../src/engine/models/phi3_v/config.js";
import { TILE_TOKENS, tokenCount } from "../../src/engine/models/phi3_v/tiles.js";
import type { Phi3VImage } from "../../src/engine/models/phi3_v/processor.js";
import { loadEngine, logitsOf, promptOf, type Engine } from "./support/engine.js";
import { readFloatTensors, writeFloatTensors } from "./support/float-tensors.js";
import { FIXTURES, readGolden, relativeError } from "./support/golden.js";

// What the goldens cannot show: mlx-vlm, their oracle, lays out several columns of tiles otherwise than Phi-3-Vision was trained.

const picture = { data: Uint8Array.from({ length: 90 * 60 * 3 }, (_, i) => (i * i) % 251), widthPx: 90, heightPx: 60 };

describe("phi3-v", () => {
  let engine: Engine;
  beforeAll(async () => void (engine = await loadEngine(`${FIXTURES}phi3-v/model`)));
  afterAll(() => engine.architecture[Symbol.dispose]());

  const prepare = (text: string, count: number): ReturnType<NonNullable<Engine["processor"]>["prepare"]> =>
    engine.processor!.prepare({ text, images: Array.from({ length: count }, () => picture), encode: (part) => engine.tokenizer.encode(part) });

  it("runs rows of tokens through neighbouring tiles, with a separator after each", async () => {
    const { patches } = prepare("<|image_1|>", 1).media[0]!.item as Phi3VImage;
    const perTile = patches.length / 2;
    const [whole, left] = [patches.slice(0, perTile), patches.slice(perTile)];
    const right = left.map((value) => -value);
    const item = (tiles: Float32Array[], columns: number): Phi3VImage => ({ kind: "image", patches: Float32Array.from([whole, ...tiles].flatMap((tile) => [...tile])), rows: 1, columns });
    const features = scope(() => [item([left, right], 2), item([left], 1), item([right], 1)].map((one) => engine.architecture.encode!(one).embeddings));
    try {
      await evaluated(...features);
      const width = features[0]!.shape[1]!;
      const [both, first, second] = features.map((tensor) => tensor.toArray());
      const rows = (values: number[] | undefined, from: number, count: number): number[] => values!.slice(from * width, (from + count) * width);
      for (let row = 0; row < TILE_TOKENS; row++) {
        const here = row * (2 * TILE_TOKENS + 1);
        const there = row * (TILE_TOKENS + 1);
        expect(relativeError(rows(both, here, TILE_TOKENS), rows(first, there, TILE_TOKENS))).toBeLessThan(1e-5);
        // The second tile's row comes with its separator.
        expect(relativeError(rows(both, here + TILE_TOKENS, TILE_TOKENS + 1), rows(second, there, TILE_TOKENS + 1))).toBeLessThan(1e-5);
      }
    } finally {
      disposeAll(features);
    }
  });

  it("answers the same from mlx-vlm's layout, with the kernel's channels last", async () => {
    const dir = mkdtempSync(join(tmpdir(), "deskhand-phi3-v-"));
    try {
      cpSync(`${FIXTURES}phi3-v/model`, dir, { recursive: true });
      const weights = readFloatTensors(join(dir, "model.safetensors"));
      const name = "model.vision_embed_tokens.img_processor.vision_model.embeddings.patch_embedding.weight";
      const { data, shape } = weights.get(name)!;
      const [out, channels, height, width] = shape as [number, number, number, number];
      const plane = height * width;
      const moved = Float32Array.from(data, (_, i) => data[(Math.floor(i / (plane * channels)) * channels + (i % channels)) * plane + (Math.floor(i / channels) % plane)]!);
      weights.set(name, { data: moved, shape: [out, height, width, channels] });
      writeFloatTensors(join(dir, "model.safetensors"), weights);
      const other = await loadEngine(dir);
      using architecture = other.architecture;
      const one = readGolden("phi3-v").cases.find((golden) => golden.name === "one_picture")!;
      const last = Int32Array.of(one.token_ids.length - 1);
      using expected = logitsOf(engine.architecture, await promptOf(engine, one), last);
      using actual = logitsOf(architecture, await promptOf(other, one), last);
      expect(actual.toArray()).toEqual(expected.toArray());
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it("takes as many rows as the published formula says", () => {
    for (const [rows, columns] of [[1, 1], [3, 1], [2, 3], [4, 4]] as const) expect(tokenCount({ rows, columns })).toBe((rows * columns + 1) * 144 + 1 + (rows + 1) * 12);
  });

  it("puts a picture wherever its number stands", () => {
    const { media, tokenIds } = prepare("a<|image_2|>b<|image_1|>c<|image_2|>", 2);
    expect(media.map(({ start, end }) => [start, end])).toEqual([[1, 314], [315, 628], [629, 942]]);
    expect(tokenIds).toHaveLength(942);
  });

  it("refuses tags that do not fit the pictures", () => {
    expect(() => prepare("no tag", 1)).toThrow("<|image_1|>");
    expect(() => prepare("<|image_2|>", 1)).toThrow("<|image_2|>");
    expect(() => prepare("<|image_1|><|image_2|>", 1)).toThrow("its 1 pictures");
  });
});

it.each([
  [{ hidden_act: "gelu" }, "hidden_act"],
  [{ rope_scaling: { type: "yarn", factor: 2 } }, "rope_scaling"],
  [{ img_processor: { layer_idx: -1 } }, "img_processor.layer_idx"],
  [{ img_processor: { type_feature: "cls_patch" } }, "img_processor.type_feature"],
  [{ img_processor: { name: "siglip_vision_model" } }, "img_processor.name"],
  [{ vision_config: { hidden_act: "gelu" } }, "vision_config.hidden_act"],
  [{ attention_bias: true }, "attention_bias"],
  [{ tie_word_embeddings: true }, "tie_word_embeddings"],
  [{ rope_scaling: { type: "bogus" } }, "rope_scaling"],
  [{ embd_layer: { hd_transform_order: "glb_sub" } }, "embd_layer.hd_transform_order"],
] as const)("refuses %o by name", (own, name) => {
  const config = { model_type: "phi3_v", hidden_size: 64, num_hidden_layers: 2, intermediate_size: 96, num_attention_heads: 4, vocab_size: 385, max_position_embeddings: 4096 };
  expect(() => parseWith(Phi3VConfig, config, "config.json")).not.toThrow();
  expect(() => parseWith(Phi3VConfig, { ...config, ...own }, "config.json")).toThrow(name);
});
