import { cp, mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { liveTensors } from "../../src/engine/mlx/index.js";
import { load } from "../../src/engine/model.js";
import { FIXTURES } from "../golden/support/golden.js";

let root: string;
beforeAll(async () => void (root = await mkdtemp(join(tmpdir(), "deskhand-load-"))));
afterAll(() => rm(root, { recursive: true }));

let baseline: number;
beforeEach(() => (baseline = liveTensors()));
afterEach(() => expect(liveTensors()).toBe(baseline));

let copies = 0;
/** A copy of a small model, to be damaged. */
async function copyOf(fixture: string): Promise<string> {
  const dir = join(root, String(copies++));
  await cp(`${FIXTURES}${fixture}/model`, dir, { recursive: true });
  return dir;
}

async function editConfig(dir: string, edit: (config: Record<string, unknown>) => void): Promise<void> {
  const path = join(dir, "config.json");
  const config = JSON.parse(await readFile(path, "utf8")) as Record<string, unknown>;
  edit(config);
  await writeFile(path, JSON.stringify(config));
}

/** Rewrites the header of a safetensors file; the data stays. */
async function editHeader(path: string, edit: (header: Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>) => void): Promise<void> {
  const bytes = await readFile(path);
  const end = 8 + Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.toString("utf8", 8, end)) as Parameters<typeof edit>[0];
  edit(header);
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  await writeFile(path, Buffer.concat([length, text, bytes.subarray(end)]));
}

const weights = (dir: string): string => join(dir, "model.safetensors");

describe("load refuses", () => {
  it("an architecture it does not know, naming those it does", async () => {
    const dir = await copyOf("qwen3-vl");
    await editConfig(dir, (config) => (config["model_type"] = "mamba3"));
    await expect(load(dir)).rejects.toMatchObject({ code: "unsupported_model", message: expect.stringMatching(/one of (\w+, )*qwen3_vl\b.* but received mamba3/) as string });
  });

  it.each([
    ["qwen3-bf16", (config: Record<string, unknown>) => (config["use_sliding_window"] = true), "use_sliding_window"],
    ["qwen3-bf16", (config: Record<string, unknown>) => (config["hidden_act"] = "relu"), "hidden_act"],
    ["qwen3-bf16", (config: Record<string, unknown>) => (config["rope_scaling"] = { rope_type: "spiral", factor: 4 }), "rope_scaling"],
    ["qwen3-vl", (config: Record<string, unknown>) => ((config["vision_config"] as Record<string, unknown>)["in_channels"] = 4), "vision_config.in_channels"],
    ["qwen3-vl", (config: Record<string, unknown>) => delete config["image_token_id"], "image_token_id"],
  ])("a field of %s that it cannot compute, by name", async (fixture, edit, field) => {
    const dir = await copyOf(fixture);
    await editConfig(dir, edit);
    await expect(load(dir)).rejects.toMatchObject({ code: "unsupported_model", message: expect.stringContaining(field) as string });
  });

  it("a missing weight, by path", async () => {
    const dir = await copyOf("qwen3-vl");
    await editHeader(weights(dir), (header) => delete header["model.visual.blocks.1.norm1.bias"]);
    await expect(load(dir)).rejects.toMatchObject({ code: "invalid_model", message: expect.stringContaining("a weight named model.visual.blocks.1.norm1.bias") as string });
  });

  it("a misshapen weight, with both shapes", async () => {
    const dir = await copyOf("qwen3-vl");
    await editHeader(weights(dir), (header) => {
      const entry = header["model.language_model.layers.0.self_attn.q_proj.weight"]!;
      entry.shape = [entry.shape[1]!, entry.shape[0]!];
    });
    await expect(load(dir)).rejects.toThrow(/q_proj\.weight of shape \[\d+, \d+\] but .* has \[\d+, \d+\]/);
  });

  it("a weight that nothing uses", async () => {
    const dir = await copyOf("qwen3-vl");
    await editHeader(weights(dir), (header) => (header["model.extra.weight"] = { dtype: "U8", shape: [0], data_offsets: [0, 0] }));
    await expect(load(dir)).rejects.toThrow(/every weight to belong to the model but 1 do not: model\.extra\.weight/);
  });

  it("truncated weights", async () => {
    const dir = await copyOf("qwen3-vl");
    await truncate(weights(dir), 100_000);
    await expect(load(dir)).rejects.toMatchObject({ code: "invalid_model", message: expect.stringContaining("truncated") as string });
  });

  it("missing weights, a missing shard, a missing config and a broken one", async () => {
    const dir = await copyOf("qwen3-vl");
    await rm(weights(dir));
    await expect(load(dir)).rejects.toMatchObject({ code: "invalid_model" });

    const sharded = await copyOf("qwen3");
    await rm(join(sharded, "model-00002-of-00002.safetensors"));
    await expect(load(sharded)).rejects.toThrow("model-00002-of-00002.safetensors");

    const broken = await copyOf("qwen3");
    await writeFile(join(broken, "config.json"), "{oops");
    await expect(load(broken)).rejects.toThrow(/Expected valid JSON in .*config\.json/);

    const none = await copyOf("qwen3");
    await rm(join(none, "config.json"));
    await expect(load(none)).rejects.toThrow("config.json");
  });

  it("a model whose name means nothing", async () => {
    await expect(load("no-such-model")).rejects.toMatchObject({ code: "model_not_found" });
  });

  it("an abort", async () => {
    await expect(load(`${FIXTURES}qwen3/model`, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "cancelled" });
  });
});

describe("a loaded model refuses", () => {
  it("pictures when it takes text only, by name", async () => {
    await using model = await load(`${FIXTURES}qwen3/model`);
    const image = `${FIXTURES}pictures/gradient-96x64.png`;
    await expect(model.describeImage(image)).rejects.toMatchObject({ code: "unsupported_input", message: expect.stringMatching(/\(qwen3\) takes text only but received a picture/) as string });
    await expect(model.generate("x", { images: [image, image], raw: true })).rejects.toThrow("received 2 pictures");
  });

  it("a picture that is not one, and one of 100 megapixels", async () => {
    await using model = await load(`${FIXTURES}qwen3-vl/model`);
    await expect(model.describeImage(Buffer.from("not a picture"))).rejects.toMatchObject({ code: "invalid_image" });
    const { default: sharp } = await import("sharp");
    const large = await sharp({ create: { width: 10_000, height: 10_000, channels: 3, background: "white" } }).png().toBuffer();
    await expect(model.describeImage(large)).rejects.toMatchObject({ code: "image_too_large" });
  });

  it("work after it was disposed", async () => {
    const model = await load(`${FIXTURES}qwen3/model`);
    await model.dispose();
    await model.dispose();
    await expect(model.generate("x")).rejects.toMatchObject({ code: "engine_unavailable" });
  });
});
