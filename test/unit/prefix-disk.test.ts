import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { PrefixDisk } from "../../src/engine/cache/prefix-disk.js";
import { liveTensors } from "../../src/engine/mlx/index.js";
import type { Prompt } from "../../src/engine/models/architecture.js";
import { loadEngine, promptOf, type Engine } from "../golden/support/engine.js";
import { TestScheduler } from "../golden/support/generate.js";
import { FIXTURES, readGolden, relativeError } from "../golden/support/golden.js";

/** Sums in another order: a chunk's attention adds its keys in other groups. */
const TOLERANCE = 1e-4;
/** A message begins with this. */
const BORDER = 7;

let dir: string;
beforeEach(async () => void (dir = await mkdtemp(join(tmpdir(), "deskhand-prefixes-"))));
afterEach(() => rm(dir, { recursive: true }));

/** Tokens of a message; the same seed, the same message. */
function message(seed: number, length = 80): number[] {
  return [BORDER, ...Array.from({ length: length - 1 }, (_, i) => 10 + ((i * 7 + seed * 13 + (i >> 3) * seed) % 60))];
}

function text(...messages: number[][]): Prompt {
  return { tokenIds: messages.flat(), media: [] };
}

/** A scheduler that keeps nothing in memory, so that all it had goes to the disk. */
class OnDisk implements AsyncDisposable {
  private constructor(
    readonly disk: PrefixDisk,
    readonly scheduler: TestScheduler,
  ) {}

  static async open(engine: Engine, { maxBytes = 2 ** 30, fingerprint = "1", name = "model", memory = 0 } = {}): Promise<OnDisk> {
    const createCache = () => engine.architecture.createCache();
    const disk = await PrefixDisk.open({ dir, maxBytes, model: { name, fingerprint }, createCache });
    return new OnDisk(disk, new TestScheduler(engine.architecture, { maxBytes: memory, disk, borderTokens: new Set([BORDER]) }));
  }

  /** Answers, and tells how many of the prompt's rows were there. */
  async ask(prompt: Prompt): Promise<{ ids: number[]; logits: number[][]; cached: number }> {
    let cached = -1;
    const answer = await this.scheduler.logits(prompt, { maxTokens: 4, onPrefill: (rows) => (cached = rows) });
    await this.disk.settled();
    return { ...answer, cached };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.scheduler.scheduler.idle();
    await this.disk.settled();
    this.scheduler[Symbol.dispose]();
  }
}

async function alone(engine: Engine, prompt: Prompt): Promise<{ ids: number[]; logits: number[][] }> {
  using scheduler = new TestScheduler(engine.architecture, { maxBytes: 0 });
  return scheduler.logits(prompt, { maxTokens: 4 });
}

describe.each(["qwen3", "qwen3-vl", "gemma3", "mistral-window", "qwen3-5", "phi3-border"])("prefixes of %s on the disk", (fixture) => {
  let engine: Engine;
  beforeAll(async () => void (engine = await loadEngine(`${FIXTURES}${fixture}/model`)));
  afterAll(() => engine.architecture[Symbol.dispose]());

  async function expectAsAlone(answer: { ids: number[]; logits: number[][] }, prompt: Prompt): Promise<void> {
    const expected = await alone(engine, prompt);
    expect(answer.ids).toEqual(expected.ids);
    answer.logits.forEach((logits, step) => expect(relativeError(logits, expected.logits[step]!)).toBeLessThan(TOLERANCE));
  }

  it("are taken up after a restart, by what goes on from them and by what branches off, with the answers of an empty cache", async () => {
    const [first, second, third, other] = [message(1), message(2, 40), message(3, 70), message(4, 20)];
    // What a model makes once it makes now.
    await alone(engine, text(first, second, third));
    await alone(engine, text(first));
    const baseline = liveTensors();
    let answer: number[];
    {
      await using before = await OnDisk.open(engine);
      answer = (await before.ask(text(first, second))).ids;
    }
    {
      await using after = await OnDisk.open(engine);
      const goesOn = text(first, second, answer, third);
      const on = await after.ask(goesOn);
      // All but the last token of the answer, which was never run.
      expect(on.cached).toBe(120 + 3);
      await expectAsAlone(on, goesOn);
      const branch = text(first, other);
      const off = await after.ask(branch);
      // To where they part, where a border lies: at a message's beginning for a state, else at a multiple of 64.
      const keepsAll = engine.architecture.createCache().every(({ isState }) => !isState);
      expect(off.cached).toBe(keepsAll ? 64 : 80);
      await expectAsAlone(off, branch);
    }
    expect(liveTensors()).toBe(baseline);
  });

  it("share the files of what they have in common", async () => {
    await using kept = await OnDisk.open(engine);
    let history = text(message(1));
    const sizes: number[] = [];
    for (let turn = 0; turn < 3; turn++) {
      const { ids, cached } = await kept.ask(history);
      expect(cached).toBe(turn === 0 ? 0 : history.tokenIds.length - 80 - 1);
      history = text([...history.tokenIds], ids, message(turn + 2));
      const names = await readdir(dir);
      sizes.push((await Promise.all(names.map((name) => stat(join(dir, name))))).reduce((sum, { size }) => sum + size, 0));
    }
    // Each turn adds its own rows, and not those before it once more.
    expect(sizes[2]! - sizes[1]!).toBeLessThan(1.2 * (sizes[1]! - sizes[0]!));
  });
});

describe("prefixes on the disk", () => {
  let engine: Engine;
  beforeAll(async () => void (engine = await loadEngine(`${FIXTURES}qwen3-vl/model`)));
  afterAll(() => engine.architecture[Symbol.dispose]());

  const files = async (): Promise<string[]> => (await readdir(dir)).map((name) => join(dir, name)).sort();

  it("are kept by what pictures show, and hold neither pictures nor prompts nor their keys in clear", async () => {
    const one = readGolden("qwen3-vl").cases.find(({ name }) => name === "one_picture")!;
    const prompt = await promptOf(engine, one);
    const span = prompt.media[0]!;
    const long: Prompt = { tokenIds: [...prompt.tokenIds, ...message(1)], media: prompt.media };
    const inverted = { ...long, media: [{ ...span, key: `${span.key}, another`, item: span.item }] };
    await using kept = await OnDisk.open(engine);
    await kept.ask(long);
    await kept.ask(inverted);
    expect((await kept.ask(long)).cached).toBe(long.tokenIds.length - 1);
    expect((await kept.ask(inverted)).cached).toBe(long.tokenIds.length - 1);
    const never = { ...long, media: [{ ...span, key: "never seen" }] };
    expect((await kept.ask(never)).cached).toBeLessThanOrEqual(span.start);
    const ids = Buffer.from(Int32Array.from(long.tokenIds.slice(-40)).buffer);
    for (const path of await files()) {
      const bytes = await readFile(path);
      expect(bytes.includes(span.key.slice(0, 32))).toBe(false);
      expect(bytes.includes(ids)).toBe(false);
      expect((await stat(path)).mode & 0o777).toBe(0o600);
    }
  });

  it("refuses a folder that others can read, and makes its own for this user alone", async () => {
    const open = (path: string) => PrefixDisk.open({ dir: path, maxBytes: 1e6, model: { name: "m", fingerprint: "1" }, createCache: () => engine.architecture.createCache() });
    await mkdir(join(dir, "shared"));
    await chmod(join(dir, "shared"), 0o755);
    await expect(open(join(dir, "shared"))).rejects.toMatchObject({ code: "invalid_argument", message: expect.stringContaining("755") as string });
    await writeFile(join(dir, "file"), "");
    await expect(open(join(dir, "file"))).rejects.toMatchObject({ code: "invalid_argument" });
    await open(join(dir, "a", "b"));
    expect((await stat(join(dir, "a", "b"))).mode & 0o777).toBe(0o700);
  });

  it.each<[string, (path: string) => Promise<void>]>([
    ["truncated", (path) => truncate(path, 4000)],
    ["cut off within its last tensor", async (path) => truncate(path, (await stat(path)).size - 8)],
    ["empty", (path) => truncate(path, 0)],
    ["changed in its header", (path) => flip(path, 60)],
    ["changed in its digests", async (path) => flip(path, (await stat(path)).size - 5)],
    ["changed in a tensor", async (path) => flip(path, Math.floor((await stat(path)).size / 2))],
    ["something else", (path) => writeFile(path, "something else")],
  ])("are not used and gone when a file is %s", async (_, damage) => {
    const prompt = text(message(1), message(2));
    const answer = await alone(engine, prompt);
    {
      await using before = await OnDisk.open(engine);
      await before.ask(prompt);
      const [path] = await files();
      await damage(path!);
      // While it is known, and after a restart.
      const again = await before.ask(prompt);
      expect(again).toMatchObject({ cached: 0, ids: answer.ids });
      await damage((await files())[0]!);
    }
    await using after = await OnDisk.open(engine);
    const again = await after.ask(prompt);
    expect(again).toMatchObject({ cached: 0, ids: answer.ids });
    // Written anew.
    expect((await after.ask(prompt)).cached).toBe(159);
  });

  it("are not used by a model that has changed, nor by another one, which they do not disturb", async () => {
    const prompt = text(message(1), message(2));
    {
      await using first = await OnDisk.open(engine);
      await first.ask(prompt);
    }
    const [kept] = await files();
    {
      await using other = await OnDisk.open(engine, { name: "another" });
      expect((await other.ask(prompt)).cached).toBe(0);
      expect(await files()).toContain(kept);
    }
    await using changed = await OnDisk.open(engine, { fingerprint: "2" });
    expect(await files()).not.toContain(kept);
    expect((await changed.ask(prompt)).cached).toBe(0);
  });

  it("stay within their bound, those used lately, and leave others' files alone", async () => {
    await writeFile(join(dir, "model.safetensors"), "weights");
    const prompts = [1, 2, 3].map((seed) => text(message(seed), message(seed + 10)));
    let size: number;
    {
      await using probe = await OnDisk.open(engine);
      await probe.ask(prompts[0]!);
      const [path] = await files();
      size = (await stat(path!)).size;
      // As if long ago: without an order in time there is none to let go by.
      await utimes(path!, 1e9, 1e9);
    }
    await using kept = await OnDisk.open(engine, { maxBytes: 2.5 * size });
    const cachedOf = async (i: number): Promise<number> => (await kept.ask(prompts[i]!)).cached;
    expect([await cachedOf(1), await cachedOf(0), await cachedOf(2)]).toEqual([0, 159, 0]);
    const names = (await readdir(dir)).filter((name) => name !== "model.safetensors");
    expect(names).toHaveLength(2);
    expect([await cachedOf(0), await cachedOf(1)]).toEqual([159, 0]);
    expect(await readFile(join(dir, "model.safetensors"), "utf8")).toBe("weights");
    await using tooSmall = await OnDisk.open(engine, { maxBytes: size / 2 });
    await tooSmall.ask(prompts[2]!);
    expect(await readdir(dir)).toEqual(["model.safetensors"]);
  });

  it("removes what a process left unfinished", async () => {
    const left = join(dir, `deskhand-prefix-0-0-0.safetensors.${process.pid}-1.part`);
    const underWay = join(dir, `deskhand-prefix-0-0-1.safetensors.${process.pid}-2.part`);
    await writeFile(left, "half");
    await writeFile(underWay, "half");
    await utimes(left, 1e9, 1e9);
    await using _ = await OnDisk.open(engine);
    expect(await files()).toEqual([underWay]);
  });

  it("lets others go on while it reads, and a reader leave", async () => {
    const prompt = text(message(1, 200), message(2, 200));
    {
      await using before = await OnDisk.open(engine);
      await before.ask(prompt);
    }
    const baseline = liveTensors();
    {
      await using after = await OnDisk.open(engine, { memory: 2 ** 30 });
      const controller = new AbortController();
      const started: string[] = [];
      const other = after.scheduler.generate(text(message(5, 30)), { maxTokens: 30, onToken: () => void started.push("token") });
      const leaving = after.scheduler.generate(prompt, { maxTokens: 2, signal: controller.signal, onPrefill: () => started.push("begun") });
      const staying = after.scheduler.generate(prompt, { maxTokens: 2, onPrefill: (rows) => started.push(`cached ${rows}`) });
      setImmediate(() => controller.abort());
      await expect(leaving).rejects.toMatchObject({ code: "cancelled" });
      expect(await staying).toEqual((await alone(engine, prompt)).ids.slice(0, 2));
      await other;
      // Tokens came before the prompt's beginning was there.
      expect(started.indexOf("token")).toBeLessThan(started.indexOf("cached 399"));
      expect(started).toContain("cached 399");
    }
    expect(liveTensors()).toBe(baseline);
  });

  it("takes what memory holds when the engine stops", async () => {
    const prompt = text(message(1), message(2));
    {
      await using before = await OnDisk.open(engine, { memory: 2 ** 30 });
      await before.ask(prompt);
      expect(await files()).toEqual([]);
      await before.scheduler.cache.persist();
    }
    await using after = await OnDisk.open(engine);
    expect((await after.ask(prompt)).cached).toBe(159);
  });
});

async function flip(path: string, at: number): Promise<void> {
  const bytes = await readFile(path);
  bytes[at]! ^= 0x55;
  await writeFile(path, bytes);
}
