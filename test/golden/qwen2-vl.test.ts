import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { QwenVLImageProcessor } from "../../src/engine/image/qwen-vl-processor.js";
import { disposeAll, evaluated, scope } from "../../src/engine/mlx/index.js";
import type { QwenImage } from "../../src/engine/models/qwen-vl-prompt.js";
import { positionIds } from "../../src/engine/nn/mrope.js";
import { logitsOf, loadEngine, promptOf, type Engine } from "./support/engine.js";
import { FIXTURES, readGolden, relativeError } from "./support/golden.js";

// Qwen2-VL and Qwen2.5-VL beyond their answers: patches and positions against transformers, the layouts folders come in, frames,
// and what is refused.

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true });
});

type Config = Record<string, unknown>;

/** A copy of a fixture's model with its config and the names of its weights changed. */
async function rewritten(fixture: string, edit: (config: Config) => Config, weights?: (file: SafetensorsContent) => SafetensorsContent): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "deskhand-qwen2-vl-"));
  folders.push(dir);
  await cp(`${FIXTURES}${fixture}/model`, dir, { recursive: true });
  const config = JSON.parse(await readFile(join(dir, "config.json"), "utf8")) as Config;
  await writeFile(join(dir, "config.json"), JSON.stringify(edit(config)));
  const file = join(dir, "model.safetensors");
  if (weights !== undefined) await writeFile(file, written(weights(parsed(await readFile(file)))));
  return dir;
}

type SafetensorsContent = Map<string, { dtype: string; shape: number[]; data: Buffer }>;

/** The safetensors format, without the engine: https://huggingface.co/docs/safetensors. */
function parsed(bytes: Buffer): SafetensorsContent {
  const start = 8 + Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.toString("utf8", 8, start)) as Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>;
  return new Map(
    Object.entries(header)
      .filter(([name]) => name !== "__metadata__")
      .map(([name, { dtype, shape, data_offsets: [from, to] }]) => [name, { dtype, shape, data: bytes.subarray(start + from, start + to) }]),
  );
}

function written(tensors: SafetensorsContent): Buffer {
  let offset = 0;
  const entries = [...tensors].map(([name, { dtype, shape, data }]) => {
    const data_offsets = [offset, (offset += data.length)];
    return [name, { dtype, shape, data_offsets }];
  });
  const text = JSON.stringify(Object.fromEntries(entries));
  const header = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, ...[...tensors.values()].map(({ data }) => data)]);
}

function renamed(tensors: SafetensorsContent, rename: (name: string) => string): SafetensorsContent {
  return new Map([...tensors].map(([name, tensor]) => [rename(name), tensor]));
}

/** Folders written by mlx-vlm: its names, and the patch convolution with the channels last. */
function mlxLayout(tensors: SafetensorsContent): SafetensorsContent {
  const kernels = renamed(tensors, (name) => (name.startsWith("visual.") ? name.replace("visual.", "vision_tower.") : `language_model.${name}`));
  const name = "vision_tower.patch_embed.proj.weight";
  const { dtype, shape, data } = kernels.get(name)!;
  const [outputs, channels, ...patch] = shape as [number, number, ...number[]];
  const places = patch.reduce((product, side) => product * side, 1);
  const moved = Buffer.alloc(data.length);
  for (let out = 0; out < outputs; out++) {
    for (let channel = 0; channel < channels; channel++) {
      for (let place = 0; place < places; place++) moved.writeFloatLE(data.readFloatLE(4 * ((out * channels + channel) * places + place)), 4 * ((out * places + place) * channels + channel));
    }
  }
  return kernels.set(name, { dtype, shape: [outputs, ...patch, channels], data: moved });
}

/** Folders written by transformers 5: both halves under `model`. */
function nestedLayout(tensors: SafetensorsContent): SafetensorsContent {
  return renamed(tensors, (name) => (name.startsWith("visual.") ? `model.${name}` : name.replace(/^model\./, "model.language_model.")));
}

/** The config of transformers 5. */
function nestedConfig({ model_type, vision_config, image_token_id, eos_token_id, tie_word_embeddings, rope_theta, rope_scaling, ...text }: Config): Config {
  const { mrope_section } = rope_scaling as { mrope_section: number[] };
  const rope_parameters = { rope_type: "default", rope_theta, mrope_section };
  return { model_type, vision_config, image_token_id, eos_token_id, tie_word_embeddings, text_config: { ...text, rope_parameters } };
}

describe.each(["qwen2-vl", "qwen2.5-vl"])("%s", (fixture) => {
  const golden = readGolden(fixture);
  const pictures = golden.cases.find(({ name }) => name === "two_pictures")!;
  let engine: Engine;
  beforeAll(async () => void (engine = await loadEngine(`${FIXTURES}${fixture}/model`)));
  afterAll(() => engine.architecture[Symbol.dispose]());

  async function logits(of: Engine): Promise<number[]> {
    const rows = golden.require("two_pictures.logit_positions").data as Int32Array<ArrayBuffer>;
    using values = logitsOf(of.architecture, await promptOf(of, pictures), rows);
    return values.toArray();
  }

  it.each(golden.cases.filter(({ name }) => golden.tensor(`${name}.image_grid_thw`) !== undefined))("$name: stands at the same positions", async (one) => {
    const { tokenIds, media } = await promptOf(engine, one);
    const images = media.map(({ start, item }) => ({ start, gridThw: (item as QwenImage).gridThw }));
    expect(images.flatMap(({ gridThw }) => gridThw)).toEqual(Array.from(golden.require(`${one.name}.image_grid_thw`).data));
    const { ids, next } = positionIds(tokenIds.length, images, 2);
    expect(Array.from(ids)).toEqual(Array.from(golden.require(`${one.name}.position_ids`).data));
    expect(next - tokenIds.length).toBe(one.rope_delta);
  });

  it.each([
    ["mlx-vlm's names and kernels", (config: Config) => config, mlxLayout],
    ["transformers 5's config and names", nestedConfig, nestedLayout],
  ])("answers alike from a folder with %s", async (_layout, edit, weights) => {
    const other = await loadEngine(await rewritten(fixture, edit, weights));
    try {
      expect(await logits(other)).toEqual(await logits(engine));
    } finally {
      other.architecture[Symbol.dispose]();
    }
  });

  it("sees each frame for itself", async () => {
    const item = (await promptOf(engine, pictures)).media[0]!.item as QwenImage;
    const { pixelValues, gridThw, mergedTokens } = item;
    const twice: QwenImage = { ...item, gridThw: [2, gridThw[1], gridThw[2]], mergedTokens: 2 * mergedTokens, pixelValues: Float32Array.from([...pixelValues, ...pixelValues]) };
    const features = scope(() => [item, twice].map((one) => engine.architecture.encode!(one).embeddings));
    try {
      await evaluated(...features);
      const [one, two] = features.map((tensor) => tensor.toArray()) as [number[], number[]];
      // Matrix products of another height may sum in another order.
      expect(relativeError(two, [...one, ...one])).toBeLessThan(1e-5);
    } finally {
      disposeAll(features);
    }
  });

  it.each([
    ["use_sliding_window", (config: Config) => ({ ...config, use_sliding_window: true })],
    ["mrope_section", (config: Config) => ({ ...config, rope_scaling: { type: "mrope", mrope_section: [2, 3, 4] } })],
    ["rope_type", (config: Config) => ({ ...config, rope_scaling: { type: "spiral", mrope_section: [2, 3, 3] } })],
    ["vision_config.hidden_act", (config: Config) => ({ ...config, vision_config: { ...(config["vision_config"] as Config), hidden_act: "relu" } })],
  ])("refuses a config it cannot compute, naming %s", async (field, edit) => {
    const message = expect.stringContaining(field) as string;
    await expect(loadEngine(await rewritten(fixture, edit))).rejects.toMatchObject({ code: "unsupported_model", message });
  });
});

describe("qwen2-vl, pictures", () => {
  const golden = readGolden("qwen2-vl");
  const STRIDE = 16; // every so manieth patch is stored

  it.each(golden.cases.filter(({ name }) => golden.tensor(`${name}.pixel_values`) !== undefined))("$name: the same patches, with CLIP's means and deviations", async (one) => {
    const engine = await loadEngine(`${FIXTURES}qwen2-vl/model`);
    engine.architecture[Symbol.dispose]();
    const patches: Float32Array[] = [];
    for (const { item } of (await promptOf(engine, one)).media) {
      const { pixelValues, gridThw } = item as QwenImage;
      const width = pixelValues.length / (gridThw[1] * gridThw[2]);
      for (let from = 0; from < pixelValues.length; from += width) patches.push(pixelValues.subarray(from, from + width));
    }
    const actual = patches.filter((_, i) => i % STRIDE === 0).flatMap((patch) => Array.from(patch));
    // The last bit of a normalised value.
    expect(relativeError(actual, golden.require(`${one.name}.pixel_values`).data)).toBeLessThan(2e-7);
  });

  it("scales in steps of 28 pixels without being told", () => {
    expect(new QwenVLImageProcessor({}).sizeFor({ widthPx: 640, heightPx: 480 })).toEqual({ widthPx: 644, heightPx: 476 });
  });
});

it("counts frames on the time axis, and text goes on after rows and columns", () => {
  // One token of text, 3 frames of 2 × 4 patches in merge blocks of 2 × 2, one token of text.
  const { ids, next } = positionIds(8, [{ start: 1, gridThw: [3, 2, 4] }], 2);
  expect(Array.from(ids)).toEqual([...[0, 1, 1, 2, 2, 3, 3, 3], ...[0, 1, 1, 1, 1, 1, 1, 3], ...[0, 1, 2, 1, 2, 1, 2, 3]]);
  expect(next).toBe(4);
});
