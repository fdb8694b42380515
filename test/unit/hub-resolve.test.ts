import { mkdir, mkdtemp, readdir, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { hubEnvironment, hubToken } from "../../src/engine/hub/environment.js";
import { listModels } from "../../src/engine/hub/list.js";
import { resolveModel } from "../../src/engine/hub/resolve.js";

const TINY_DIR = fileURLToPath(new URL("../../models/tiny", import.meta.url));
const A = "a".repeat(40);
const B = "b".repeat(40);

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "deskhand-cache-"));
  for (const name of ["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH", "HF_ENDPOINT"]) vi.stubEnv(name, "");
  vi.stubEnv("HF_HUB_CACHE", join(root, "hub"));
  // No test here may reach a hub.
  vi.stubEnv("HF_HUB_OFFLINE", "1");
});
afterEach(() => {
  vi.unstubAllEnvs();
});

/** A snapshot as Python's huggingface_hub leaves it: links into blobs/. */
async function snapshot(id: string, commit: string, files: Record<string, string>, cache = join(root, "hub")): Promise<string> {
  const repo = join(cache, `models--${id.replace("/", "--")}`);
  const dir = join(repo, "snapshots", commit);
  await mkdir(dir, { recursive: true });
  await mkdir(join(repo, "blobs"), { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    const blob = `${commit.slice(0, 4)}${name}`;
    await writeFile(join(repo, "blobs", blob), text);
    await symlink(join("../../blobs", blob), join(dir, name));
  }
  return dir;
}

async function ref(id: string, commit: string): Promise<void> {
  const refs = join(root, "hub", `models--${id.replace("/", "--")}`, "refs");
  await mkdir(refs, { recursive: true });
  await writeFile(join(refs, "main"), commit);
}

const MODEL = { "config.json": '{"model_type": "qwen3"}', "model.safetensors": "weights" };
const INDEX = JSON.stringify({ weight_map: { a: "model-1.safetensors", b: "model-2.safetensors" } });

describe("resolveModel", () => {
  it("finds the embedded model by its alias", async () => {
    const resolved = await resolveModel("tiny");
    expect(resolved).toMatchObject({ id: "tiny", source: "embedded" });
    expect(join(resolved.dir)).toBe(TINY_DIR);
    expect(await readdir(resolved.dir)).toContain("config.json");
  });

  it("takes a folder, absolute, relative or below the home folder", async () => {
    const dir = join(root, "org", "my-model");
    await mkdir(dir, { recursive: true });
    for (const [name, text] of Object.entries(MODEL)) await writeFile(join(dir, name), text);
    expect(await resolveModel(dir)).toEqual({ dir, id: "my-model", source: "folder" });
    vi.stubEnv("HOME", root);
    expect((await resolveModel("~/org/my-model")).dir).toBe(dir);
    const cwd = vi.spyOn(process, "cwd").mockReturnValue(root);
    // A folder wins over a hub id of the same spelling.
    expect(await resolveModel("org/my-model")).toEqual({ dir, id: "my-model", source: "folder" });
    expect((await resolveModel("./org/my-model")).dir).toBe(dir);
    cwd.mockRestore();
  });

  it("names what a folder lacks", async () => {
    const lacks = async (files: Record<string, string>, missing: string): Promise<void> => {
      const dir = await mkdtemp(join(root, "folder-"));
      for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text);
      await expect(resolveModel(dir)).rejects.toMatchObject({ code: "invalid_model", message: expect.stringContaining(missing) as string });
    };
    await lacks({}, "config.json");
    await lacks({ "config.json": "{}" }, "model.safetensors");
    await lacks({ "config.json": "{}", "model.safetensors.index.json": INDEX, "model-1.safetensors": "" }, "model-2.safetensors is missing");
    await lacks({ "config.json": "{}", "model.safetensors.index.json": "{", "model-1.safetensors": "" }, "model.safetensors.index.json");
  });

  it("takes the snapshot that refs/main names, else the newest", async () => {
    const [older, newer] = [await snapshot("org/name", A, MODEL), await snapshot("org/name", B, MODEL)];
    await utimes(older, 1000, 1000);
    expect(await resolveModel("org/name")).toEqual({ dir: newer, id: "org/name", source: "cache" });
    await ref("org/name", `${A}\n`);
    expect((await resolveModel("org/name")).dir).toBe(older);
    await ref("org/name", "c".repeat(40));
    expect((await resolveModel("org/name")).dir).toBe(newer);
  });

  it("passes over incomplete snapshots", async () => {
    const whole = await snapshot("org/name", A, { ...MODEL, "model.safetensors.index.json": INDEX, "model-1.safetensors": "1", "model-2.safetensors": "2" });
    await ref("org/name", B);
    const refuses = async (files: Record<string, string>): Promise<void> => {
      await snapshot("org/name", B, files);
      expect((await resolveModel("org/name")).dir).toBe(whole);
    };
    await refuses({ "model.safetensors": "no configuration" });
    await snapshot("org/dangling", A, { "config.json": "{}" });
    await symlink("../../blobs/not-there", join(root, "hub", "models--org--dangling", "snapshots", A, "model.safetensors"));
    await expect(resolveModel("org/dangling")).rejects.toMatchObject({ code: "model_not_found" });
    await snapshot("org/sharded", A, { "config.json": "{}", "model.safetensors.index.json": INDEX, "model-1.safetensors": "1" });
    await expect(resolveModel("org/sharded")).rejects.toMatchObject({ code: "model_not_found", message: expect.stringContaining("not complete") as string });
  });

  it("knows what the aliases stand for", async () => {
    const dir = await snapshot("mlx-community/Qwen3-VL-4B-Instruct-4bit", A, MODEL);
    expect(await resolveModel("qwen")).toEqual({ dir, id: "mlx-community/Qwen3-VL-4B-Instruct-4bit", source: "cache" });
    await expect(resolveModel("gemma")).rejects.toMatchObject({ message: expect.stringContaining("mlx-community/gemma-3-4b-it-4bit") as string });
  });

  it.each(["qwn", "", "no-such-folder", "/no/such/folder", "a/b/c", "../up/x/y"])("explains how to name a model when given %j", async (name) => {
    const error = (await resolveModel(name).catch((caught: unknown) => caught)) as Error;
    expect(error).toMatchObject({ code: "model_not_found", status: 404 });
    for (const way of ["alias", "folder", "Hugging Face id", "tiny"]) expect(error.message).toContain(way);
    if (name === "qwn") expect(error.message).toContain('Did you mean "qwen"?');
    else expect(error.message).not.toContain("Did you mean");
  });

  it("can be cancelled", async () => {
    vi.stubEnv("HF_HUB_OFFLINE", "");
    vi.stubEnv("HF_ENDPOINT", "http://127.0.0.1:9");
    await expect(resolveModel("org/name", { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "cancelled" });
  });
});

describe("listModels", () => {
  it("lists what can be loaded without a network", async () => {
    const dir = await snapshot("mlx-community/Qwen3-VL-4B-Instruct-4bit", A, { "config.json": JSON.stringify({ model_type: "qwen3_vl", quantization: { bits: 4, group_size: 64, mode: "affine" } }), "model.safetensors": "1234567" });
    await snapshot("org/plain", B, MODEL);
    await snapshot("org/half", B, { "config.json": "{}" });
    await snapshot("org/odd", B, { "config.json": "not JSON", "model.safetensors": "1" });
    const models = await listModels();
    expect(models.map(({ id, source }) => [id, source])).toEqual([["tiny", "embedded"], ["hear", "embedded"], ["mlx-community/Qwen3-VL-4B-Instruct-4bit", "cache"], ["org/odd", "cache"], ["org/plain", "cache"]]); // prettier-ignore
    expect(models[0]).toMatchObject({ alias: "tiny", modelType: "qwen3_vl" });
    expect(models[0]!.sizeBytes).toBeGreaterThan((await stat(join(TINY_DIR, "model-00001-of-00004.safetensors"))).size);
    expect(models[1]).toMatchObject({ alias: "hear", modelType: "whisper" });
    expect(models[2]).toEqual({ id: "mlx-community/Qwen3-VL-4B-Instruct-4bit", alias: "qwen", source: "cache", dir, modelType: "qwen3_vl", quantization: { bits: 4, groupSize: 64 }, sizeBytes: (await stat(join(dir, "config.json"))).size + 7 });
    expect(models[4]).toMatchObject({ modelType: "qwen3", sizeBytes: MODEL["config.json"].length + 7 });
    expect(models[4]).not.toHaveProperty("alias");
  });

  it("lists the embedded models alone when there is no cache", async () => {
    expect((await listModels()).map(({ id }) => id)).toEqual(["tiny", "hear"]);
  });
});

describe("the Hugging Face environment", () => {
  it("finds the cache by the same names as huggingface_hub, most specific first", () => {
    const cacheDir = (env: NodeJS.ProcessEnv): string => hubEnvironment(env).cacheDir;
    expect(cacheDir({})).toBe(join(homedir(), ".cache/huggingface/hub"));
    expect(cacheDir({ XDG_CACHE_HOME: "/x" })).toBe("/x/huggingface/hub");
    expect(cacheDir({ XDG_CACHE_HOME: "/x", HF_HOME: "/h" })).toBe("/h/hub");
    expect(cacheDir({ HF_HOME: "/h", HUGGINGFACE_HUB_CACHE: "/old" })).toBe("/old");
    expect(cacheDir({ HF_HOME: "/h", HUGGINGFACE_HUB_CACHE: "/old", HF_HUB_CACHE: "/new" })).toBe("/new");
    expect(cacheDir({ HF_HOME: "~/hf" })).toBe(join(homedir(), "hf/hub"));
  });

  it("knows the mirror and when to keep offline", () => {
    expect(hubEnvironment({}).hubUrl).toBe("https://huggingface.co");
    expect(hubEnvironment({ HF_ENDPOINT: "https://mirror.example/" }).hubUrl).toBe("https://mirror.example");
    for (const [value, offline] of [["1", true], ["ON", true], ["yes", true], ["True", true], ["0", false], ["", false]] as const) expect(hubEnvironment({ HF_HUB_OFFLINE: value }).offline).toBe(offline);
    expect(hubEnvironment({ TRANSFORMERS_OFFLINE: "1" }).offline).toBe(true);
  });

  it("takes the token from the environment, else from the file of a login", async () => {
    await writeFile(join(root, "token"), "hf_stored\n");
    expect(await hubToken({ HF_HOME: root })).toBe("hf_stored");
    expect(await hubToken({ HF_HOME: root, HF_TOKEN: "hf_given" })).toBe("hf_given");
    expect(await hubToken({ HF_HOME: join(root, "nowhere") })).toBeUndefined();
  });
});
