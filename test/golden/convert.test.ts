import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { convert } from "../../src/engine/convert/convert.js";
import type { ConvertOptions } from "../../src/engine/convert/options.js";
import { MLX_LAYOUTS } from "../../src/engine/convert/layouts.js";
import { importantLayers, RECIPES, type RecipeName } from "../../src/engine/convert/recipes.js";
import { planSteps } from "../../src/engine/convert/plan.js";
import { writeShards } from "../../src/engine/convert/shards.js";
import { liveTensors, retain, scope, tensor } from "../../src/engine/mlx/index.js";
import { load } from "../../src/engine/model.js";
import { loadArchitecture, registeredModelTypes } from "../../src/engine/models/registry.js";
import { described, weightsOf } from "./support/converted.js";
import { TRANSCRIBERS } from "./support/figures.js";
import { FIXTURES, readGolden } from "./support/golden.js";

// Conversion against mlx-lm's, mlx-vlm's and mlx-audio's own, which the fixtures' quantised folders are.

const root = mkdtempSync(join(tmpdir(), "deskhand-convert-"));
afterAll(() => rmSync(root, { recursive: true }));

let made = 0;
const fresh = (): string => join(root, `model-${made++}`);
const source = (fixture: string): string => `${FIXTURES}${fixture}/model`;
const converted = async (fixture: string, options: Omit<ConvertOptions, "out"> = {}): Promise<string> => convert(source(fixture), { out: fresh(), ...options });
const json = async (dir: string, name = "config.json"): Promise<Record<string, unknown>> => JSON.parse(await readFile(join(dir, name), "utf8")) as Record<string, unknown>;

const greedy = async (dir: string, fixture: string): Promise<number[][]> => {
  await using model = await load(dir);
  const answers: number[][] = [];
  for (const { messages, greedy_token_ids } of readGolden(fixture).cases) {
    answers.push((await model.chat(messages, { temperature: 0, repetitionPenalty: 1, maxTokens: greedy_token_ids.length })).tokenIds);
  }
  return answers;
};

/** Every model that is not quantised, of a family that chats and can be converted. A folder with modules.json makes vectors and no answers. */
const PLAIN = readdirSync(FIXTURES).filter((name) => {
  if (!existsSync(`${source(name)}/config.json`) || existsSync(`${source(name)}/modules.json`)) return false;
  const { model_type: modelType, quantization } = JSON.parse(readFileSync(`${source(name)}/config.json`, "utf8")) as { model_type: string; quantization?: object };
  return modelType in MLX_LAYOUTS && !TRANSCRIBERS.includes(modelType) && quantization === undefined;
});

/** golden/families/conversions.py makes it. */
type Reference = Record<string, Record<string, { quantization: Record<string, unknown> | null; weights: Record<string, string> }>>;
const REFERENCE = JSON.parse(readFileSync(`${FIXTURES}conversions/conversions.json`, "utf8")) as Reference;

const OPTIONS: Record<string, Omit<ConvertOptions, "out">> = {
  plain: {},
  "affine-4": { quantize: { bits: 4, groupSize: 32 } },
  "affine-8": { quantize: { bits: 8 } },
  mxfp4: { quantize: { mode: "mxfp4" } },
  nvfp4: { quantize: { mode: "nvfp4" } },
  mxfp8: { quantize: { mode: "mxfp8" } },
  bfloat16: { dtype: "bfloat16" },
  float16: { dtype: "float16" },
  "affine-2": { quantize: { bits: 2, groupSize: 32 } },
  "affine-3": { quantize: { bits: 3 } },
  "affine-5": { quantize: { bits: 5, groupSize: 128 } },
  "affine-6": { quantize: { bits: 6, groupSize: 32 } },
  "float16-affine-4": { dtype: "float16", quantize: {} },
  dequantize: { dequantize: true },
  ...Object.fromEntries(Object.keys(RECIPES).map((name) => [name, { mixed: name as RecipeName }])),
};

describe.each(Object.entries(REFERENCE))("%s, converted", (fixture, recipes) => {
  it.each(Object.entries(recipes))("%s: the weights are MLX's, bit for bit", async (recipe, { quantization, weights: own }) => {
    // What a recipe leaves as `plain` has it is said there only.
    const weights = { ...recipes.plain?.weights, ...own };
    const baseline = liveTensors();
    const dir = await converted(fixture, OPTIONS[recipe]);
    expect(described(dir)).toEqual(weights);
    expect(liveTensors()).toBe(baseline);

    // Theirs lists every layer of a recipe, ours those that differ from the rest: what a layer gets must be the same.
    const ours = (await json(dir)).quantization as Record<string, unknown> | undefined;
    if (quantization === null) return void expect(ours).toBeUndefined();
    const settings = (of: Record<string, unknown>, layer: string): unknown => ({ bits: of.bits, group_size: of.group_size, mode: of.mode, ...(of[layer] as object | undefined) });
    for (const layer of Object.keys(weights).filter((name) => name.endsWith(".scales")).map((name) => name.slice(0, -".scales".length))) {
      expect(settings(ours!, layer)).toEqual(settings(quantization, layer));
    }
    expect((await json(dir)).quantization_config).toEqual(ours);
  });
});

describe("a converted folder", () => {
  it.each(PLAIN)("%s: answers as its original does, and what is made of it again is the same", async (fixture) => {
    const once = await converted(fixture);
    const again = await convert(once, { out: fresh() });
    const expected = readGolden(fixture).cases.map(({ greedy_token_ids }) => greedy_token_ids);
    expect(await greedy(once, fixture)).toEqual(expected);
    expect(weightsOf(again)).toEqual(weightsOf(once));
  });

  it("is plain again after dequantize, and answers as the quantised one does", async () => {
    const plain = await converted("qwen3-4bit", { dequantize: true });
    expect(Object.keys(await json(plain))).not.toContain("quantization");
    expect([...(weightsOf(plain)).keys()].filter((name) => /scales|biases/.test(name))).toEqual([]);
    expect(await greedy(plain, "qwen3-4bit")).toEqual(readGolden("qwen3-4bit").cases.map(({ greedy_token_ids }) => greedy_token_ids));
  });

  it.each([
    ["qwen3", "float32"],
    ["qwen3-bf16", "bfloat16"],
  ] as const)("%s in a mode whose scales have no type: activations have that of the other weights, %s, and so has what is made plain again", async (fixture, dtype) => {
    const packed = await converted(fixture, { quantize: { mode: "mxfp4" } });
    const { architecture } = await loadArchitecture(packed);
    using rows = retain(scope(() => architecture.embed(tensor(Int32Array.of(1, 2), [1, 2]))));
    expect(rows.dtype).toBe(dtype);
    architecture[Symbol.dispose]();

    const plain = weightsOf(await convert(packed, { out: fresh(), dequantize: true }));
    expect(new Set([...plain.values()].map((stored) => stored.dtype))).toEqual(new Set([dtype === "float32" ? "F32" : "BF16"]));
  });

  it("says which layers the groups do not divide, and loads", async () => {
    const dir = await converted("qwen3-vl", { quantize: { bits: 4, groupSize: 64 } });
    // Queries have 4 heads of 24.
    const quantization = (await json(dir)).quantization as Record<string, unknown>;
    expect(quantization["language_model.model.layers.0.self_attn.o_proj"]).toBe(false);
    await using model = await load(dir);
    expect(model.info.vision).toBe(true);
  });

  it("quantises the layers of the vision tower when asked", async () => {
    const dir = await converted("qwen3-vl", { quantize: { bits: 8, groupSize: 32 }, quantizeTowers: true });
    const names = [...(weightsOf(dir)).keys()];
    expect(names).toContain("vision_tower.blocks.0.attn.qkv.scales");
    expect(names).not.toContain("vision_tower.pos_embed.scales");
  });

  it("has the tokenizer, template, processor and generation files, and tells its type", async () => {
    const dir = await converted("qwen3-vl", { dtype: "bfloat16" });
    for (const name of ["tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "preprocessor_config.json", "generation_config.json"]) {
      expect(await readFile(join(dir, name), "utf8")).toBe(await readFile(join(source("qwen3-vl"), name), "utf8"));
    }
    const config = await json(dir);
    expect([config.torch_dtype, (config.text_config as Record<string, unknown>).torch_dtype]).toEqual(["bfloat16", "bfloat16"]);
    const index = await json(dir, "model.safetensors.index.json");
    expect(Object.keys(index.weight_map as object).sort()).toEqual([...(weightsOf(dir)).keys()].sort());
  });
});

it("leaves out the parts of Qwen3-Omni that speak, and says so", async () => {
  const dir = await converted("qwen3-omni");
  expect([...weightsOf(dir).keys()].filter((name) => !name.startsWith("thinker."))).toEqual([]);
  expect((await json(dir)).enable_audio_output).toBe(false);
  expect((await json(source("qwen3-omni"))).enable_audio_output).toBe(true);
});

it("quantises the audio tower when asked", async () => {
  const dir = await converted("qwen3-omni", { quantize: { bits: 8, groupSize: 32 }, quantizeTowers: true });
  const names = [...weightsOf(dir).keys()];
  expect(names).toContain("thinker.audio_tower.layers.0.self_attn.q_proj.scales");
  expect(await greedy(dir, "qwen3-omni")).toHaveLength(readGolden("qwen3-omni").cases.length);
});

it.each(["qwen2-5-omni", "qwen2-5-omni-bf16"])("refuses %s, which MLX's tools have no layout for", async (fixture) => {
  await expect(converted(fixture)).rejects.toMatchObject({ code: "unsupported_model", message: expect.stringMatching(/has qwen2_5_omni\w*, for which MLX's tools have no layout/) as string });
});

describe("writing", () => {
  it("splits weights into shards that an index names", async () => {
    const dir = fresh();
    mkdirSync(dir);
    const values = Array.from({ length: 5 }, (_, i) => ({ name: `w${i}`, read: () => tensor(new Float32Array(256).fill(i)) }));
    await writeShards(dir, planSteps(values, { quantization: undefined }).steps, { shardBytes: 2100 });
    expect((await readdir(dir)).sort()).toEqual(["model-00001-of-00003.safetensors", "model-00002-of-00003.safetensors", "model-00003-of-00003.safetensors", "model.safetensors.index.json"]);
    expect(await json(dir, "model.safetensors.index.json")).toEqual({
      metadata: { total_size: 5 * 1024 },
      weight_map: { w0: "model-00001-of-00003.safetensors", w1: "model-00001-of-00003.safetensors", w2: "model-00002-of-00003.safetensors", w3: "model-00002-of-00003.safetensors", w4: "model-00003-of-00003.safetensors" },
    });
    expect((weightsOf(dir)).get("w3")).toEqual({ dtype: "F32", shape: [256], bytes: Buffer.from(new Float32Array(256).fill(3).buffer).toString("base64") });
  });

  it("leaves nothing behind when it is cancelled half-way", async () => {
    const parent = fresh();
    const stop = new AbortController();
    const work = convert(source("qwen3"), { out: join(parent, "out"), signal: stop.signal, onProgress: ({ phase, done }) => void (phase === "Converting weights" && done === 3 && stop.abort()) });
    await expect(work).rejects.toMatchObject({ code: "cancelled" });
    expect(existsSync(parent)).toBe(false);
  });

  it("leaves folders above that somebody else uses by then", async () => {
    const parent = fresh();
    const stop = new AbortController();
    const work = convert(source("qwen3"), {
      out: join(parent, "deep", "out"),
      signal: stop.signal,
      onProgress({ phase }) {
        if (phase !== "Converting weights" || stop.signal.aborted) return;
        writeFileSync(join(parent, "note"), "");
        stop.abort();
      },
    });
    await expect(work).rejects.toMatchObject({ code: "cancelled" });
    expect(await readdir(parent)).toEqual(["note"]);
  });

  it("refuses a folder that exists, and leaves it as it is", async () => {
    const out = fresh();
    mkdirSync(out);
    await expect(convert(source("qwen3"), { out })).rejects.toMatchObject({ code: "invalid_argument", param: "out" });
    expect(await readdir(out)).toEqual([]);
  });

  it.each<[string, string, Omit<ConvertOptions, "out">]>([
    ["qwen3", "bits", { quantize: { bits: 7 } }],
    ["qwen3", "groupSize", { quantize: { groupSize: 48 } }],
    ["qwen3", "bits", { quantize: { mode: "mxfp4", bits: 8 } }],
    ["qwen3", "mixed", { mixed: "mixed_3_6", quantize: { mode: "mxfp4" } }],
    ["qwen3", "mixed", { mixed: "mixed_3_6", quantize: { bits: 4 } }],
    ["qwen3", "dequantize", { dequantize: true, quantize: {} }],
    ["qwen3", "dequantize", { dequantize: true }],
    ["qwen3", "quantizeTowers", { quantizeTowers: true }],
    ["qwen3-4bit", "quantize", { quantize: {} }],
  ])("%s: refuses %s that does not go", async (fixture, param, options) => {
    const parent = fresh();
    mkdirSync(parent);
    await expect(convert(source(fixture), { out: join(parent, "out"), ...options })).rejects.toMatchObject({ code: "invalid_argument", param });
    expect(await readdir(parent)).toEqual([]);
  });
});

it("families that can be converted are registered ones", () => {
  expect([...registeredModelTypes(), ...TRANSCRIBERS]).toEqual(expect.arrayContaining(Object.keys(MLX_LAYOUTS)));
});

it("a recipe favours the first and last eighth and every third layer between", () => {
  const layers = Array.from({ length: 16 }, (_, i) => [`model.layers.${i}.self_attn.v_proj`, `model.layers.${i}.mlp.down_proj`, `model.layers.${i}.mlp.up_proj`]).flat();
  const chosen = ["model.embed_tokens", ...layers, "lm_head"].filter(importantLayers(layers));
  // As mlx_lm.convert.mixed_quant_predicate_builder gives for 16 layers.
  expect(chosen.filter((layer) => layer.endsWith("down_proj")).map((layer) => Number(layer.split(".")[2]))).toEqual([0, 1, 4, 7, 10, 13, 14, 15]);
  expect(chosen.filter((layer) => layer.includes("up_proj") || layer.includes("embed"))).toEqual([]);
  expect(chosen).toContain("lm_head");
});
