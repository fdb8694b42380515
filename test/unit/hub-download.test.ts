import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, readlink, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Progress } from "../../src/core/progress.js";
import { resolveModel } from "../../src/engine/hub/resolve.js";
import { FakeHub, type FakeRepo } from "./support/fake-hub.js";

const SHA = "0123456789abcdef0123456789abcdef01234567";
const ID = "acme/tiny-model";
const WEIGHTS = Buffer.from(Array.from({ length: 400_000 }, (_, i) => (i * 2654435761) >>> 24));

function repo(): FakeRepo {
  return {
    sha: SHA,
    files: {
      "config.json": Buffer.from('{"model_type": "qwen3"}'),
      "tokenizer.json": Buffer.from('{"model": {}}'),
      "chat_template.jinja": Buffer.from("{{ messages }}"),
      "merges.txt": Buffer.from("a b\n"),
      "README.md": Buffer.from("# not needed"),
      "model.gguf": Buffer.from("not needed"),
      "empty.json": Buffer.alloc(0),
      "model.safetensors.index.json": Buffer.from(JSON.stringify({ weight_map: { "a.weight": "model-00001-of-00002.safetensors", "b.weight": "model-00002-of-00002.safetensors", "c.weight": "model-00001-of-00002.safetensors" } })),
      "model-00001-of-00002.safetensors": WEIGHTS,
      "model-00002-of-00002.safetensors": WEIGHTS.subarray(7, 100_007),
      "consolidated.safetensors": WEIGHTS,
    },
    lfs: ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "consolidated.safetensors"],
  };
}
const WANTED = ["chat_template.jinja", "config.json", "empty.json", "merges.txt", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json", "tokenizer.json"];

describe("downloading a model", () => {
  let hub: FakeHub;
  let cacheDir: string;
  let repoDir: string;
  let snapshot: string;

  beforeEach(async () => {
    hub = await new FakeHub().start();
    hub.repos.set(ID, repo());
    cacheDir = join(await mkdtemp(join(tmpdir(), "deskhand-hub-")), "hub");
    repoDir = join(cacheDir, "models--acme--tiny-model");
    snapshot = join(repoDir, "snapshots", SHA);
    vi.stubEnv("HF_HUB_CACHE", cacheDir);
    vi.stubEnv("HF_ENDPOINT", hub.url);
    vi.stubEnv("HF_HUB_OFFLINE", "");
    vi.stubEnv("TRANSFORMERS_OFFLINE", "");
    vi.stubEnv("HF_TOKEN", "");
    vi.stubEnv("HUGGING_FACE_HUB_TOKEN", "");
    vi.stubEnv("HF_TOKEN_PATH", join(cacheDir, "no-token"));
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await hub[Symbol.asyncDispose]();
  });

  async function expectWhole(): Promise<void> {
    expect((await readdir(snapshot)).sort()).toEqual(WANTED);
    for (const name of WANTED) expect((await readFile(join(snapshot, name))).equals(repo().files[name]!), name).toBe(true);
    expect(await readFile(join(repoDir, "refs", "main"), "utf8")).toBe(SHA);
    expect((await readdir(join(repoDir, "blobs"))).filter((name) => name.endsWith(".incomplete"))).toEqual([]);
    expect(await readdir(join(cacheDir, ".locks"))).toEqual([]);
  }

  async function partialFile(): Promise<{ bytes: number }> {
    const [name, ...others] = (await readdir(join(repoDir, "blobs"))).filter((file) => file.endsWith(".incomplete"));
    expect(others).toEqual([]);
    return { bytes: (await readFile(join(repoDir, "blobs", name!))).length };
  }

  it("fetches what an engine needs, in the layout of the Hugging Face cache", async () => {
    const progress: Progress[] = [];
    const resolved = await resolveModel(ID, { onProgress: (report) => progress.push(report) });
    expect(resolved).toEqual({ dir: snapshot, id: ID, source: "download" });
    await expectWhole();
    const digest = createHash("sha256").update(WEIGHTS).digest("hex");
    expect(await readlink(join(snapshot, "model-00001-of-00002.safetensors"))).toBe(`../../blobs/${digest}`);
    const total = WANTED.reduce((sum, name) => sum + repo().files[name]!.length, 0);
    expect(progress.at(-1)).toEqual({ phase: `downloading ${ID}`, done: total, total, unit: "bytes" });
    expect(progress.every(({ done }, i) => i === 0 || done >= progress[i - 1]!.done)).toBe(true);
  });

  it("needs no network the second time", async () => {
    await resolveModel(ID);
    const before = hub.requests.length;
    expect(await resolveModel(ID)).toEqual({ dir: snapshot, id: ID, source: "cache" });
    expect(hub.requests.length).toBe(before);
  });

  it("goes on after the connection breaks, without fetching anything twice", async () => {
    hub.cutAfterBytes = 150_000;
    await resolveModel(ID);
    await expectWhole();
    const ranges = hub.requests.filter(({ path, range }) => path.endsWith("model-00001-of-00002.safetensors") && range !== "bytes=0-0").map(({ range }) => range);
    expect(ranges).toEqual([undefined, "bytes=150000-399999", "bytes=300000-399999"]);
  });

  it("goes on in the next run where a cancelled one stopped", async () => {
    hub.stallAfterBytes = 120_000;
    const controller = new AbortController();
    const first = resolveModel(ID, { signal: controller.signal });
    const cancelled = expect(first).rejects.toMatchObject({ code: "cancelled" });
    await vi.waitFor(async () => expect((await partialFile()).bytes).toBe(120_000), { timeout: 10_000 });
    controller.abort();
    await cancelled;
    await expect(readFile(join(repoDir, "refs", "main"))).rejects.toThrow();
    expect(await readdir(join(cacheDir, ".locks"))).toEqual([]);
    expect((await partialFile()).bytes).toBe(120_000);
    // Half a model is no model.
    await expect(resolveModel(ID, { offline: true })).rejects.toMatchObject({ code: "model_not_found" });

    hub.stallAfterBytes = undefined;
    hub.requests.length = 0;
    expect((await resolveModel(ID)).source).toBe("download");
    await expectWhole();
    expect(hub.requests.filter(({ range }) => range === "bytes=120000-399999")).toHaveLength(1);
  });

  it("throws away what is not what the hub announced", async () => {
    hub.corrupt = true;
    await expect(resolveModel(ID)).rejects.toMatchObject({ code: "invalid_model", message: expect.stringContaining("damaged") as string });
    expect(await readdir(join(repoDir, "blobs"))).toEqual([]);
    hub.corrupt = false;
    await resolveModel(ID);
    await expectWhole();
  });

  it("lets two callers share one download", async () => {
    const phases = new Set<string>();
    const onProgress = ({ phase }: Progress): void => void phases.add(phase);
    const [one, two] = await Promise.all([resolveModel(ID, { onProgress }), resolveModel(ID, { onProgress })]);
    expect(one.dir).toBe(two.dir);
    await expectWhole();
    expect(phases).toContain(`waiting for another download of ${ID}`);
    expect(hub.requests.filter(({ path, range }) => path.endsWith("model-00001-of-00002.safetensors") && range !== "bytes=0-0")).toHaveLength(1);
  });

  it("takes over the lock of a process that has ended", async () => {
    await mkdir(join(cacheDir, ".locks"), { recursive: true });
    // Above the largest process id that Linux and macOS give.
    await writeFile(join(cacheDir, ".locks", "models--acme--tiny-model.deskhand.lock"), `99999999 ${hostname()}`);
    await resolveModel(ID);
    await expectWhole();
  });

  it("shows the token to the hub alone", async () => {
    vi.stubEnv("HF_TOKEN", "secret-of-a-mirror");
    await using network = await new FakeHub().start();
    network.repos.set(ID, repo());
    hub.redirectTo = network.url;
    await resolveModel(ID);
    await expectWhole();
    expect(hub.requests.every(({ authorization }) => authorization === "Bearer secret-of-a-mirror")).toBe(true);
    expect(network.requests.length).toBeGreaterThan(0);
    expect(network.requests.every(({ authorization }) => authorization === undefined)).toBe(true);
  });

  it("says what to do about a model that is not there, gated, or without safetensors", async () => {
    vi.stubEnv("HF_TOKEN", "hf_topsecret");
    const failure = async (id: string): Promise<{ code: string; message: string }> => {
      const error = (await resolveModel(id).catch((caught: unknown) => caught)) as { code: string; message: string };
      expect(error.message).not.toContain("topsecret");
      return error;
    };
    expect(await failure("acme/no-such-model")).toMatchObject({ code: "model_not_found", message: expect.stringMatching(/acme\/no-such-model.*HF_TOKEN.*qwen/s) as string });
    vi.stubEnv("HF_TOKEN", "");
    expect(await failure("acme/no-such-model")).toMatchObject({ code: "model_not_found" });
    hub.repos.set("acme/gated", { ...repo(), gated: true });
    expect(await failure("acme/gated")).toMatchObject({ code: "unauthorized", message: expect.stringMatching(/gated.*acme\/gated/s) as string });
    hub.repos.set("acme/gguf", { sha: SHA, files: { "config.json": Buffer.from("{}"), "model.gguf": Buffer.from("x") } });
    expect(await failure("acme/gguf")).toMatchObject({ code: "unsupported_model", message: expect.stringContaining("safetensors") as string });
    vi.stubEnv("HF_ENDPOINT", "http://127.0.0.1:9");
    expect(await failure(ID)).toMatchObject({ code: "engine_unavailable", message: expect.stringMatching(/Check the network/) as string });
  });

  it("keeps offline when told to", async () => {
    await expect(resolveModel(ID, { offline: true })).rejects.toMatchObject({ code: "model_not_found", message: expect.stringContaining("HF_HUB_OFFLINE") as string });
    vi.stubEnv("HF_HUB_OFFLINE", "1");
    await expect(resolveModel(ID)).rejects.toMatchObject({ code: "model_not_found" });
    expect(hub.requests).toEqual([]);
  });

  it("writes nothing outside the snapshot, whatever names a repository lists", async () => {
    hub.repos.set(ID, { ...repo(), files: { ...repo().files, "../../evil.json": Buffer.from("{}"), "sub/other.json": Buffer.from("{}"), "..json": Buffer.from("{}") } });
    await resolveModel(ID);
    await expectWhole();
    expect((await readdir(cacheDir)).sort()).toEqual([".locks", "models--acme--tiny-model"]);
  });
});
