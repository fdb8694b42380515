import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PrefixDisk } from "../../src/engine/cache/prefix-disk.js";
import { liveTensors } from "../../src/engine/mlx/index.js";
import type { Architecture, DecoderInput, MediaItem, MediaSpan, Prompt } from "../../src/engine/models/architecture.js";
import { loadEngine, promptOf, type Engine } from "../golden/support/engine.js";
import { TestScheduler } from "../golden/support/generate.js";
import { FIXTURES, readGolden, relativeError } from "../golden/support/golden.js";

/** Sums in another order: a chunk's attention adds its keys in other groups. */
const TOLERANCE = 1e-4;

/** Numbers in [0, 1) that a seed decides (xorshift). */
function randomOf(seed: number): () => number {
  let state = seed * 2654435761 + 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

interface Piece {
  tokenIds: number[];
  picture?: { item: MediaItem; key: string };
}

function promptFrom(pieces: readonly Piece[]): Prompt {
  const tokenIds: number[] = [];
  const media: MediaSpan[] = [];
  for (const piece of pieces) {
    const start = tokenIds.length;
    tokenIds.push(...piece.tokenIds);
    if (piece.picture !== undefined) media.push({ start, end: tokenIds.length, ...piece.picture });
  }
  return { tokenIds, media };
}

/** The same picture with all its levels turned round: of the same size, and another one. */
function inverted(value: unknown): unknown {
  if (value instanceof Float32Array) return value.map((level) => -level);
  if (Array.isArray(value)) return value.map(inverted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, inverted(part)]));
}

/** Counts rows and pictures that are computed. */
class Counted {
  rows = 0;
  pictures = 0;
  readonly model: Architecture;

  constructor(model: Architecture) {
    this.model = new Proxy(model, {
      get: (target, name) => {
        if (name === "decode") {
          return (input: DecoderInput, caches: Parameters<Architecture["decode"]>[1]) => {
            this.rows += input.embeddings.dim(0) * input.embeddings.dim(1);
            return target.decode(input, caches);
          };
        }
        if (name === "encode" && target.encode !== undefined) {
          return (item: MediaItem) => {
            this.pictures++;
            return target.encode!(item);
          };
        }
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
  }

  taken(): { rows: number; pictures: number } {
    const { rows, pictures } = this;
    this.rows = this.pictures = 0;
    return { rows, pictures };
  }
}

/** A message begins with this. */
const BORDER = 7;

async function picturesOf(engine: Engine, fixture: string): Promise<Piece[]> {
  const one = readGolden(fixture).cases.find(({ name }) => name === "one_picture");
  if (one === undefined) return [];
  const prompt = await promptOf(engine, one);
  const { start, end, item, key } = prompt.media[0]!;
  const tokenIds = prompt.tokenIds.slice(start, end);
  return [
    { tokenIds, picture: { item, key } },
    { tokenIds, picture: { item: inverted(item) as MediaItem, key: `${key}, inverted` } },
  ];
}

describe.each(["qwen3", "qwen3-vl", "gemma3", "mistral-window", "qwen3-5", "phi3-border"])("%s", (fixture) => {
  let engine: Engine;
  let pictures: Piece[];

  beforeAll(async () => {
    engine = await loadEngine(`${FIXTURES}${fixture}/model`);
    pictures = await picturesOf(engine, fixture);
  });
  afterAll(() => engine.architecture[Symbol.dispose]());

  /** Conversations that begin anew, go on, branch off, and are asked for again, some at the same time. */
  async function converse(seed: number, maxBytes: number, { disk, longest = 9 }: { disk?: PrefixDisk; longest?: number } = {}): Promise<{ cached: number; prompt: number }> {
    const random = randomOf(seed);
    const below = (limit: number): number => Math.floor(random() * limit);
    const words = Array.from({ length: 80 }, (_, i) => 10 + i).filter((id) => !engine.architecture.mediaTokenIds.includes(id));
    const message = (): Piece[] => {
      const text = (length: number): Piece => ({ tokenIds: Array.from({ length }, () => words[below(6)]!) });
      const picture = random() < 0.4 ? pictures[below(2)] : undefined;
      return [{ tokenIds: [BORDER] }, ...(picture === undefined ? [] : [picture]), text(1 + below(longest))];
    };
    const histories: Piece[][] = [[...message(), ...message()]];
    using cached = new TestScheduler(engine.architecture, { maxBytes, borderTokens: new Set([BORDER]), disk });
    using uncached = new TestScheduler(engine.architecture, { maxBytes: 0 });
    const total = { cached: 0, prompt: 0 };
    for (let turn = 0; turn < 8; turn++) {
      const asked = Array.from({ length: 1 + below(3) }, () => {
        const from = histories[below(histories.length)]!;
        const kept = random() < 0.7 ? from : from.slice(0, 1 + below(from.length));
        return random() < 0.15 ? from : [...kept, ...message()];
      }).map((pieces) => (promptFrom(pieces).tokenIds.length < 250 ? pieces : message()));
      const run = (on: TestScheduler, pieces: Piece[], onPrefill?: (rows: number) => void): Promise<{ ids: number[]; logits: number[][] }> => on.logits(promptFrom(pieces), { maxTokens: 4, onPrefill });
      const answers = await Promise.all(asked.map((pieces) => run(cached, pieces, (rows) => (total.cached += rows))));
      for (const [i, pieces] of asked.entries()) {
        const alone = await run(uncached, pieces);
        expect(answers[i]!.ids).toEqual(alone.ids);
        answers[i]!.logits.forEach((logits, step) => expect(relativeError(logits, alone.logits[step]!)).toBeLessThan(TOLERANCE));
        total.prompt += promptFrom(pieces).tokenIds.length;
        // As the next prompt has it: with the answer, or with another one in its place.
        histories.push([...pieces, { tokenIds: random() < 0.7 ? answers[i]!.ids : [words[below(6)]!] }]);
      }
      expect(cached.cache.bytes).toBeLessThanOrEqual(maxBytes);
    }
    await cached.scheduler.idle();
    await disk?.settled();
    return total;
  }

  it.each([1, 2, 3])("answers random conversations as without a cache (%i)", async (seed) => {
    const { cached, prompt } = await converse(seed, 2 ** 30);
    expect(cached).toBeGreaterThan(prompt / 4);
  });

  it.each([4, 5])("answers them so when there is hardly room, and lets go of everything (%i)", async (seed) => {
    const baseline = liveTensors();
    using probe = new TestScheduler(engine.architecture);
    await probe.generate({ tokenIds: Array.from({ length: 60 }, (_, i) => 10 + (i % 9)), media: [] }, { maxTokens: 2 });
    const { bytes } = probe.cache;
    probe[Symbol.dispose]();
    for (const sequences of [0, 1.2, 3]) await converse(seed, Math.floor(sequences * bytes));
    expect(liveTensors()).toBe(baseline);
  });

  it("answers them so from the disk", async () => {
    const dir = await mkdtemp(join(tmpdir(), "deskhand-prefixes-"));
    try {
      const disk = await PrefixDisk.open({ dir, maxBytes: 2 ** 30, model: { name: "m", fingerprint: "1" }, createCache: () => engine.architecture.createCache() });
      const { cached } = await converse(6, 0, { disk, longest: 70 });
      const { cached: again } = await converse(6, 0, { disk, longest: 70 });
      expect(again).toBeGreaterThan(cached);
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});

describe("the cache of prefixes", () => {
  let engine: Engine;
  let pictures: Piece[];
  let counted: Counted;

  beforeAll(async () => {
    engine = await loadEngine(`${FIXTURES}qwen3-vl/model`);
    pictures = await picturesOf(engine, "qwen3-vl");
    counted = new Counted(engine.architecture);
  });
  afterAll(() => engine.architecture[Symbol.dispose]());

  const text = (length: number, seed = 0): Piece => ({ tokenIds: Array.from({ length }, (_, i) => 10 + ((i * 7 + seed * 13) % 60)) });

  /** Of the prompt, how many rows were cached; and what was computed. */
  async function ask(scheduler: TestScheduler, pieces: Piece[], maxTokens = 3): Promise<{ ids: number[]; cached: number; rows: number; pictures: number }> {
    let cached = -1;
    counted.taken();
    const ids = await scheduler.generate(promptFrom(pieces), { maxTokens, onPrefill: (rows) => (cached = rows) });
    return { ids, cached, ...counted.taken() };
  }

  it("computes of the fiftieth step of a history of screenshots what it computes of the second", async () => {
    using scheduler = new TestScheduler(counted.model);
    let history: Piece[] = [text(20)];
    const steps: { rows: number; pictures: number }[] = [];
    for (let step = 0; step < 50; step++) {
      const [screen] = pictures;
      const key = `screen ${step}`;
      history = [...history, { tokenIds: [BORDER] }, { ...screen!, picture: { ...screen!.picture!, key } }, text(5, step)];
      const { ids, rows, pictures: encoded } = await ask(scheduler, history);
      steps.push({ rows, pictures: encoded });
      history = [...history, { tokenIds: ids }];
    }
    expect(steps[49]).toEqual(steps[1]);
    // The new screenshot, what is said with it, the answer's last token before it, and the answer's own rows but for its last.
    expect(steps[49]).toEqual({ rows: 1 + pictures[0]!.tokenIds.length + 5 + 1 + 2, pictures: 1 });
  });

  it("leaves a history where it is when its last answer comes back in other words", async () => {
    using scheduler = new TestScheduler(counted.model);
    using alone = new TestScheduler(counted.model, { maxBytes: 0 });
    const bytes: number[] = [];
    let history: Piece[] = [text(40)];
    for (let step = 0; step < 5; step++) {
      history = [...history, { tokenIds: [BORDER] }, pictures[step % 2]!, text(9, step)];
      const { ids, cached } = await ask(scheduler, history, 6);
      const length = promptFrom(history).tokenIds.length;
      // All but the answer said anew and what came after it.
      if (step > 0) expect(cached).toBe(length - (2 + 1 + pictures[0]!.tokenIds.length + 9));
      expect(ids).toEqual((await ask(alone, history, 6)).ids);
      bytes.push(scheduler.cache.bytes);
      // No answer is the model's own.
      history = [...history, { tokenIds: [ids[0]! === 11 ? 12 : 11, 13] }];
    }
    // Room for one history, which is 256 rows, and of each answer but the last the five rows that were computed of it.
    expect(bytes.at(-1)).toBe((bytes[0]! / 256) * (256 + 4 * 5));
    // What was said first still goes on as it did.
    const first = [text(40), { tokenIds: [BORDER] }, pictures[0]!, text(9, 0)];
    expect((await ask(scheduler, first, 6)).ids).toEqual((await ask(alone, first, 6)).ids);
  });

  it("never takes one picture for another of its size", async () => {
    using scheduler = new TestScheduler(counted.model);
    const asked = (picture: Piece): Piece[] => [text(9), picture, text(6, 1)];
    const first = await ask(scheduler, asked(pictures[0]!));
    const second = await ask(scheduler, asked(pictures[1]!));
    expect([first.cached, second.cached]).toEqual([0, 9]);
    expect(second.pictures).toBe(1);
    // Both are there now.
    for (const [i, picture] of pictures.entries()) {
      const again = await ask(scheduler, asked(picture));
      expect(again.cached).toBe(promptFrom(asked(picture)).tokenIds.length - 1);
      expect(again.ids).toEqual([first, second][i]!.ids);
    }
  });

  it("keeps several conversations side by side", async () => {
    using scheduler = new TestScheduler(counted.model);
    const histories = [1, 2, 3, 4].map((seed) => [text(12, seed), pictures[seed % 2]!]);
    for (let turn = 0; turn < 4; turn++) {
      for (const [i, history] of histories.entries()) {
        const { ids, cached } = await ask(scheduler, history);
        // All of the last turn but its last token.
        if (turn > 0) expect(cached).toBe(promptFrom(history).tokenIds.length - 4 - 1);
        histories[i] = [...history, { tokenIds: ids }, text(4, turn)];
      }
    }
  });

  it("shares what is being answered with those who ask meanwhile", async () => {
    using scheduler = new TestScheduler(counted.model);
    let later: Promise<{ cached: number }> | undefined;
    let count = 0;
    await scheduler.generate(promptFrom([text(30), text(3, 1)]), { maxTokens: 20, onToken: () => void (++count === 2 && (later = ask(scheduler, [text(30), text(3, 2)]))) });
    expect((await later)!.cached).toBe(30);
  });

  it("reads a question once that several ask at the same time", async () => {
    using scheduler = new TestScheduler(counted.model);
    counted.taken();
    const asked = [1, 2, 3, 4].map((seed) => promptFrom([text(200), pictures[0]!, text(100), text(3, seed)]));
    const rows: number[] = [];
    const answers = await Promise.all(asked.map((prompt) => scheduler.generate(prompt, { maxTokens: 2, onPrefill: (cached) => rows.push(cached) })));
    const common = 300 + pictures[0]!.tokenIds.length;
    expect(rows).toEqual([0, common, common, common]);
    // One whole prompt, the end of the others, and a step of each.
    expect(counted.taken()).toEqual({ rows: common + 4 * 3 + 4, pictures: 1 });
    using alone = new TestScheduler(counted.model, { maxBytes: 0 });
    for (const [i, prompt] of asked.entries()) expect(await alone.generate(prompt, { maxTokens: 2 })).toEqual(answers[i]);
  });

  it("lets go of what was used least lately", async () => {
    using probe = new TestScheduler(counted.model);
    await ask(probe, [text(40, 1)]);
    using scheduler = new TestScheduler(counted.model, { maxBytes: 2.5 * probe.cache.bytes });
    const cachedOf = async (seed: number): Promise<number> => (await ask(scheduler, [text(40, seed)])).cached;
    expect([await cachedOf(1), await cachedOf(2), await cachedOf(1), await cachedOf(3)]).toEqual([0, 0, 39, 0]);
    // The second was used before the first was used again.
    expect(await cachedOf(1)).toBe(39);
    expect(await cachedOf(2)).toBe(0);
  });

  it("encodes a picture once, wherever it comes again", async () => {
    const baseline = liveTensors();
    {
      using scheduler = new TestScheduler(counted.model, { maxBytes: 0, featureBytes: 2 ** 20 });
      using without = new TestScheduler(counted.model, { maxBytes: 0 });
      const asked = [0, 1, 0, 1].map((which, i) => [text(3 + i, i), pictures[which]!, text(4, i), pictures[0]!]);
      const encoded: number[] = [];
      for (const pieces of asked) {
        const { ids, pictures: count } = await ask(scheduler, pieces);
        expect(ids).toEqual((await ask(without, pieces)).ids);
        encoded.push(count);
      }
      expect(encoded).toEqual([1, 1, 0, 0]);
    }
    expect(liveTensors()).toBe(baseline);
  });

  it("keeps no more of pictures than it may, those used lately", async () => {
    using probe = new TestScheduler(counted.model, { maxBytes: 0, featureBytes: 2 ** 20 });
    await ask(probe, [text(3), pictures[0]!, text(1)]);
    using scheduler = new TestScheduler(counted.model, { maxBytes: 0, featureBytes: 2 * probe.features.bytes });
    const named = (key: string): Piece => ({ ...pictures[0]!, picture: { ...pictures[0]!.picture!, key } });
    const encoded: number[] = [];
    for (const key of ["a", "b", "a", "c", "a", "b"]) encoded.push((await ask(scheduler, [text(3), named(key), text(1)])).pictures);
    expect(encoded).toEqual([1, 1, 0, 1, 0, 1]);
    expect(scheduler.features.bytes).toBe(2 * probe.features.bytes);
  });

  it("lets a cancelled generation go within a step where nothing is kept", async () => {
    using scheduler = new TestScheduler(counted.model, { maxBytes: 0 });
    const controller = new AbortController();
    const live: number[] = [];
    const prompt = promptFrom([text(20)]);
    const staying = scheduler.generate(prompt, {
      maxTokens: 30,
      onToken: () => {
        live.push(liveTensors());
        if (live.length === 10) controller.abort();
      },
    });
    const leaving = scheduler.generate(promptFrom([text(25, 1), pictures[0]!, text(3)]), { maxTokens: 30, signal: controller.signal });
    await expect(leaving).rejects.toMatchObject({ code: "cancelled" });
    await staying;
    // Two tensors a layer, of each sequence.
    const perSequence = 2 * engine.architecture.createCache().length;
    expect(live[9]! - live[12]!).toBeGreaterThanOrEqual(perSequence);
    expect(live[12]).toBe(live[20]);
  });
});
