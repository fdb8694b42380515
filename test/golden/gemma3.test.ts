import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KVCache } from "../../src/engine/cache/kv-cache.js";
import { RotatingKVCache } from "../../src/engine/cache/rotating-kv-cache.js";
import { Session } from "../../src/engine/cache/session.js";
import { evaluated, liveTensors, scope, tensor, type Tensor } from "../../src/engine/mlx/index.js";
import type { Prompt } from "../../src/engine/models/architecture.js";
import type { Gemma3Image } from "../../src/engine/models/gemma3/processor.js";
import { panAndScan } from "../../src/engine/models/gemma3/views.js";
import { loadEngine, logitsOf, promptOf, type Engine } from "./support/engine.js";
import { prefill } from "./support/generate.js";
import { FIXTURES, readGolden, relativeError } from "./support/golden.js";

// What is Gemma 3's own: layers that see a window, the cache that keeps no more than it, pictures whose rows see each other.

/** float32 sums in another order. */
const TOLERANCE = 1e-4;

/** Rows `[1, 1, n, 1]` that hold their positions. */
function rowsAt(start: number, end: number): Tensor {
  return tensor(Float32Array.from({ length: end - start }, (_, i) => start + i), [1, 1, end - start, 1]);
}

/** Which positions attention gets when rows [start, end) are added. */
function added(cache: RotatingKVCache, start: number, end: number): number[] {
  using keys = scope(() => {
    const rows = rowsAt(start, end);
    return cache.update(rows, rows).keys;
  });
  return keys.toArray();
}

const upTo = (start: number, end: number): number[] => Array.from({ length: end - start }, (_, i) => start + i);

describe("a cache that keeps a window", () => {
  it("gives single rows their window in any order, and never holds more", async () => {
    using cache = new RotatingKVCache(5);
    for (let position = 0; position < 17; position++) {
      const seen = added(cache, position, position + 1);
      expect(seen.toSorted((a, b) => a - b)).toEqual(upTo(Math.max(0, position - 4), position + 1));
      await evaluated(...cache.tensors());
      for (const held of cache.tensors()) expect(held.dim(2)).toBeLessThanOrEqual(5);
    }
    expect(cache.length).toBe(17);
  });

  it.each([[[3, 4, 1, 1, 6, 2, 1, 11, 1, 5, 1, 1]], [[5, 5, 5]], [[12, 1, 3]], [[1, 1, 1, 1, 1, 2, 1]]])("gives several rows those before them in order: %j", (lengths) => {
    using cache = new RotatingKVCache(5);
    let position = 0;
    for (const length of lengths) {
      const past = cache.before(length);
      const seen = added(cache, position, position + length);
      position += length;
      if (length === 1) expect(seen.toSorted((a, b) => a - b)).toEqual(upTo(Math.max(0, position - 5), position));
      else expect(seen).toEqual(upTo(position - length - past, position));
      expect(past).toBeGreaterThanOrEqual(Math.min(position - length, 4));
      for (const held of cache.tensors()) expect(held.dim(2)).toBeLessThanOrEqual(5);
    }
  });

  it("goes back only while the window of the next row is still there", () => {
    using cache = new RotatingKVCache(5);
    added(cache, 0, 5);
    expect([0, 3, 5, 6].map((length) => cache.canTrim(length))).toEqual([true, true, true, false]);
    cache.trim(3);
    expect(added(cache, 3, 5)).toEqual([0, 1, 2, 3, 4]);
    added(cache, 5, 9);
    expect([0, 7, 8, 9].map((length) => cache.canTrim(length))).toEqual([false, false, true, true]);
    expect(() => cache.trim(4)).toThrow(/window/);
    // The step that nobody has seen is taken back, and another one takes its place.
    cache.trim(8);
    expect(added(cache, 8, 9).toSorted((a, b) => a - b)).toEqual([4, 5, 6, 7, 8]);
    cache.trim(8);
    expect(added(cache, 8, 10)).toEqual([4, 5, 6, 7, 8, 9]);
  });
});

const FIXTURE_NAMES = ["gemma3-text", "gemma3-text-bf16", "gemma3-text-4bit", "gemma3", "gemma3-bf16"];

describe.each(FIXTURE_NAMES)("%s", (fixture) => {
  const golden = readGolden(fixture);
  let engine: Engine;
  let baseline: number;

  beforeAll(async () => {
    baseline = liveTensors();
    engine = await loadEngine(`${FIXTURES}${fixture}/model`);
  });

  afterAll(() => {
    engine.architecture[Symbol.dispose]();
    expect(liveTensors()).toBe(baseline);
  });

  describe.each(golden.cases)("$name", (one) => {
    let prompt: Prompt;
    let expected: number[];

    beforeAll(async () => {
      prompt = await promptOf(engine, one);
      using logits = logitsOf(engine.architecture, prompt, Int32Array.of(prompt.tokenIds.length - 1));
      expected = logits.toArray();
    });

    it.each([512, 13, 5, 2, 1])("prefilled in chunks of %i rows: the same as in one pass, and sliding layers hold their window", async (chunk) => {
      using session = new Session(engine.architecture.createCache());
      using logits = await prefill(engine.architecture, prompt, session, { chunk });
      expect(relativeError(logits.toArray(), expected)).toBeLessThan(TOLERANCE);
      const sliding = session.caches.filter((cache) => cache instanceof RotatingKVCache);
      expect(sliding.length).toBeGreaterThan(0);
      expect(session.caches.some((cache) => cache instanceof KVCache)).toBe(true);
      for (const cache of sliding) for (const held of cache.tensors()) expect(held.dim(2)).toBeLessThanOrEqual(cache.window);
    });

    it("continued token by token: the same as the whole in one pass", async () => {
      const { architecture } = engine;
      using session = new Session(architecture.createCache());
      (await prefill(architecture, prompt, session)).dispose();
      const { next } = architecture.plan(prompt);
      const whole = [...prompt.tokenIds];
      for (const [step, id] of one.greedy_token_ids.entries()) {
        whole.push(id);
        using logits = scope(() => architecture.logits(architecture.decode({ embeddings: architecture.embed(tensor(Int32Array.of(id), [1, 1])), rotary: { offset: next + step } }, session.caches)));
        using uncached = logitsOf(architecture, { tokenIds: whole, media: prompt.media }, Int32Array.of(whole.length - 1));
        expect(relativeError(logits.toArray(), uncached.toArray())).toBeLessThan(TOLERANCE);
      }
    });
  });
});

describe("pictures", () => {
  const golden = readGolden("gemma3");
  const dir = `${FIXTURES}gemma3/model`;
  let engine: Engine;

  beforeAll(async () => {
    engine = await loadEngine(dir);
  });

  afterAll(() => engine.architecture[Symbol.dispose]());

  it.each(golden.cases.filter(({ name }) => golden.tensor(`${name}.pixel_values`) !== undefined))("$name: the reference's pixels, crops included", async (one) => {
    const { data, shape } = golden.require(`${one.name}.pixel_values`);
    const [count, , side] = shape as [number, number, number, number];
    const { media } = await promptOf(engine, one);
    const views = media.flatMap(({ item }) => (item as Gemma3Image).views);
    expect(views.length).toBe(count);
    views.forEach((view, index) => {
      const expected = inPatches(data.subarray(index * 3 * side * side, (index + 1) * 3 * side * side), side, 8);
      view.forEach((value, i) => expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-6));
    });
  });

  it("plans passes that hold every view whole, its rows seeing each other", async () => {
    const prompt = await promptOf(engine, golden.cases.find(({ name }) => name === "two_pictures")!);
    const plan = engine.architecture.plan(prompt);
    const { groups } = plan.rows(0, prompt.tokenIds.length);
    const [soft] = engine.architecture.mediaTokenIds;
    prompt.tokenIds.forEach((id, row) => {
      expect(groups![row]! >= 0).toBe(id === soft);
      const border = plan.border!(row);
      if (id === soft && prompt.tokenIds[row - 1] === soft) expect([border > row, prompt.tokenIds[border] === soft]).toEqual([true, false]);
      else expect(border).toBe(row);
    });
  });

  it("refuses marks of places without a picture", async () => {
    const { processor, tokenizer } = engine;
    const encode = (text: string): number[] => tokenizer.encode(text);
    expect(() => processor!.prepare({ text: "<start_of_image>", images: [], encode })).toThrow(/each of its 0 pictures but it has 1/);
    expect(() => processor!.prepare({ text: "<image_soft_token>", images: [], encode })).toThrow(/Remove <image_soft_token>/);
  });

  // The same numbers under the names that others write, kernels with channels last where MLX has them so.
  it.each([
    ["mlx-vlm", (name: string) => name, true],
    ["transformers 5's files", (name: string) => name.replace("vision_model.", ""), false],
    ["transformers 5's modules", (name: string) => `model.${name.replace("vision_model.", "").replace("language_model.model.", "language_model.")}`, false],
  ])("the layout of %s answers the same", async (_, rename, channelsLast) => {
    const folder = await mkdtemp(join(tmpdir(), "gemma3-"));
    try {
      await cp(dir, folder, { recursive: true });
      await rewrite(join(folder, "model.safetensors"), rename, channelsLast);
      const other = await loadEngine(folder);
      try {
        for (const one of golden.cases) {
          const rows = Int32Array.of(one.token_ids.length - 1);
          using mine = logitsOf(engine.architecture, await promptOf(engine, one), rows);
          using theirs = logitsOf(other.architecture, await promptOf(other, one), rows);
          expect(theirs.toArray()).toEqual(mine.toArray());
        }
      } finally {
        other.architecture[Symbol.dispose]();
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("a folder converted for text alone is a text model", async () => {
    const folder = await mkdtemp(join(tmpdir(), "gemma3-"));
    try {
      await cp(dir, folder, { recursive: true });
      await rm(join(folder, "preprocessor_config.json"));
      await rewrite(join(folder, "model.safetensors"), (name) => (name.startsWith("language_model.") ? name : undefined), false);
      const other = await loadEngine(folder);
      try {
        expect(other.processor).toBeUndefined();
        const one = golden.cases.find(({ name }) => name === "text")!;
        const rows = golden.require("text.logit_positions").data as Int32Array<ArrayBuffer>;
        using logits = logitsOf(other.architecture, await promptOf(other, one), rows);
        expect(relativeError(logits.toArray(), golden.require("text.logits").data)).toBeLessThan(TOLERANCE);
      } finally {
        other.architecture[Symbol.dispose]();
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("refuses what it does not compute, by the field's name", async () => {
    const folder = await mkdtemp(join(tmpdir(), "gemma3-"));
    const refused = async (change: Record<string, unknown>, message: RegExp): Promise<void> => {
      const config = JSON.parse(await readFile(join(dir, "config.json"), "utf8")) as { text_config: object };
      await writeFile(join(folder, "config.json"), JSON.stringify({ ...config, text_config: { ...config.text_config, ...change } }));
      await expect(loadEngine(folder)).rejects.toThrow(message);
    };
    try {
      await cp(dir, folder, { recursive: true });
      await refused({ attn_logit_softcapping: 50 }, /attn_logit_softcapping/);
      await refused({ final_logit_softcapping: 30 }, /final_logit_softcapping/);
      await refused({ hidden_activation: "relu" }, /hidden_activation.*gelu_pytorch_tanh/);
      await refused({ rope_scaling: { rope_type: "spiral" } }, /rope_scaling.*llama3.*spiral/);
      await refused({ layer_types: ["full_attention"] }, /layer_types/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

it("cuts long pictures along their longer side", () => {
  const options = { minCropPx: 256, maxCrops: 4, minRatio: 1.2 };
  const sizes = (widthPx: number, heightPx: number): string[] => panAndScan({ widthPx, heightPx }, options).map((box) => `${box.leftPx},${box.topPx} ${box.widthPx}x${box.heightPx}`);
  expect(sizes(1000, 900)).toEqual([]);
  expect(sizes(1001, 600)).toEqual(["0,0 501x600", "501,0 500x600"]);
  expect(sizes(300, 2000)).toEqual(["0,0 300x500", "0,500 300x500", "0,1000 300x500", "0,1500 300x500"]);
  expect(sizes(400, 200)).toEqual([]);
});

/** `[3, side, side]` as patches row by row, each `[3, P, P]`. */
function inPatches(pixels: ArrayLike<number>, side: number, patch: number): number[] {
  const grid = side / patch;
  const within = patch * patch;
  return Array.from({ length: 3 * side * side }, (_, i) => {
    const [index, channel, y, x] = [Math.floor(i / (3 * within)), Math.floor(i / within) % 3, Math.floor(i / patch) % patch, i % patch];
    return pixels[(channel * side + Math.floor(index / grid) * patch + y) * side + (index % grid) * patch + x]!;
  });
}

/** Renames a float32 safetensors file's weights (`undefined` drops them), with the patch kernel's channels last if wanted. */
async function rewrite(path: string, rename: (name: string) => string | undefined, channelsLast: boolean): Promise<void> {
  const bytes = await readFile(path);
  const dataAt = 8 + Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.toString("utf8", 8, dataAt)) as Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>;
  const out: typeof header = {};
  const pieces: Uint8Array[] = [];
  let offset = 0;
  for (const [name, { dtype, shape, data_offsets: [from, to] }] of Object.entries(header).filter(([name]) => name !== "__metadata__")) {
    const renamed = rename(name);
    if (renamed === undefined) continue;
    let piece = Uint8Array.from(bytes.subarray(dataAt + from, dataAt + to));
    const turn = channelsLast && name.endsWith("patch_embedding.weight");
    const [count, channels, height, width] = shape as [number, number, number, number];
    if (turn) {
      const values = new Float32Array(piece.buffer);
      const turned = values.map((_, i) => values[((Math.floor(i / (channels * width * height)) * channels + (i % channels)) * height + (Math.floor(i / (channels * width)) % height)) * width + (Math.floor(i / channels) % width)]!);
      piece = new Uint8Array(turned.buffer);
    }
    out[renamed] = { dtype, shape: turn ? [count, height, width, channels] : shape, data_offsets: [offset, offset + piece.length] };
    pieces.push(piece);
    offset += piece.length;
  }
  const text = Buffer.from(JSON.stringify(out));
  const padded = Buffer.concat([text, Buffer.alloc((8 - (text.length % 8)) % 8, " ")]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  await writeFile(path, Buffer.concat([length, padded, ...pieces]));
}
