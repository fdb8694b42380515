import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DeskhandError } from "../../src/core/errors.js";
import type { Architecture, DecoderInput, Prompt } from "../../src/engine/models/architecture.js";
import { clearCache, liveTensors, memoryUse } from "../../src/engine/mlx/index.js";
import { load, type Model } from "../../src/engine/model.js";
import { FixtureModel } from "../golden/support/converted.js";
import { loadEngine, promptOf, type Engine } from "../golden/support/engine.js";
import { TestScheduler } from "../golden/support/generate.js";
import { FIXTURES, readGolden, type GoldenCase } from "../golden/support/golden.js";

const TINY = fileURLToPath(new URL("../../models/tiny", import.meta.url));

/** One of each kind of attention, cache and positions. */
const FAMILIES = [
  "qwen3-vl", // positions on three axes, features in several layers
  "qwen3-vl-moe", // and experts
  "qwen2.5-vl",
  "qwen3-moe",
  "qwen3-5", // recurrent layers beside attention
  "qwen3-5-moe",
  "gemma3", // windows, and pictures whose rows see each other
  "mistral-window", // a window in all layers
  "mistral3-ministral", // queries that grow with their position
  "llama", // scaled frequencies
  "phi3-border", // frequencies that change with the length, in the middle of an answer
  "llava-next",
  "idefics3",
];

interface Asked {
  name: string;
  prompt: Prompt;
  /** What the reference implementation answers. */
  expected: number[];
}

/** Eight requests: the fixture's cases in turn, with answers of several lengths. */
async function eight(engine: Engine, cases: readonly GoldenCase[]): Promise<Asked[]> {
  const asked: Asked[] = [];
  for (let i = 0; i < 8; i++) {
    const one = cases[i % cases.length]!;
    const tokens = Math.max(2, one.greedy_token_ids.length - Math.floor(i / cases.length) * 3);
    asked.push({ name: one.name, prompt: await promptOf(engine, one), expected: one.greedy_token_ids.slice(0, tokens) });
  }
  return asked;
}

/** Notes the shape `[B, L]` of every forward pass. */
function watched(model: Architecture, passes: [number, number][]): Architecture {
  return new Proxy(model, {
    get(target, name) {
      if (name === "decode") {
        return (input: DecoderInput, caches: Parameters<Architecture["decode"]>[1]) => {
          const [batch, rows] = input.embeddings.shape as [number, number];
          passes.push([batch, rows]);
          return target.decode(input, caches);
        };
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}

/** Keys and values of so many rows, in float32, as the configuration has them. */
function bytesOfRows(model: Architecture, rows: number): number {
  const { num_key_value_heads: heads, head_dim: dims } = JSON.parse(readFileSync(`${FIXTURES}qwen3/model/config.json`, "utf8")) as { num_key_value_heads: number; head_dim: number };
  return model.createCache().length * 2 * heads * dims * 4 * rows;
}

describe.each(FAMILIES)("%s", (fixture) => {
  const golden = readGolden(fixture);
  let folder: FixtureModel;
  let engine: Engine;

  beforeAll(async () => {
    folder = await FixtureModel.open(fixture);
    engine = await loadEngine(folder.dir);
  });

  afterAll(() => {
    engine.architecture[Symbol.dispose]();
    folder[Symbol.dispose]();
  });

  it("answers eight requests at once as the reference answers each", async () => {
    const asked = await eight(engine, golden.cases);
    const passes: [number, number][] = [];
    using together = new TestScheduler(watched(engine.architecture, passes));
    const answers = await Promise.all(asked.map(({ prompt, expected }) => together.generate(prompt, { maxTokens: expected.length })));
    answers.forEach((answer, i) => expect(answer, asked[i]!.name).toEqual(asked[i]!.expected));
    // They did run together.
    expect(Math.max(...passes.map(([batch]) => batch))).toBeGreaterThan(4);
  });

  it("lets requests join and leave in the middle, and lets go of everything", async () => {
    const [first, second, third] = (await eight(engine, golden.cases)) as [Asked, Asked, Asked];
    // The model has worked out by now what it works out once.
    const baseline = liveTensors();
    const scheduler = new TestScheduler(engine.architecture);
    const controller = new AbortController();
    const seen: number[] = [];
    let later: Promise<number[]> | undefined;
    const cancelled = scheduler.generate(first.prompt, {
      maxTokens: 100,
      signal: controller.signal,
      onToken: (id) => {
        seen.push(id);
        if (seen.length === 2) later = scheduler.generate(third.prompt, { maxTokens: third.expected.length });
        if (seen.length === 4) controller.abort();
      },
    });
    const whole = scheduler.generate(second.prompt, { maxTokens: second.expected.length });
    await expect(cancelled).rejects.toMatchObject({ code: "cancelled" });
    expect(seen).toEqual(first.expected.slice(0, 4));
    expect(await whole).toEqual(second.expected);
    expect(await later).toEqual(third.expected);
    scheduler[Symbol.dispose]();
    expect(liveTensors()).toBe(baseline);
  });
});

describe("the scheduler", () => {
  let engine: Engine;
  const golden = readGolden("qwen3");
  const text = (length: number, seed: number): Prompt => ({ tokenIds: Array.from({ length }, (_, i) => 3 + ((i * 31 + seed) % 90)), media: [] });

  beforeAll(async () => void (engine = await loadEngine(`${FIXTURES}qwen3/model`)));
  afterAll(() => engine.architecture[Symbol.dispose]());

  it("does not let a long prompt stall those that are answering", async () => {
    const passes: [number, number][] = [];
    const short = golden.cases[0]!;
    using scheduler = new TestScheduler(watched(engine.architecture, passes));
    let long: Promise<number[]> | undefined;
    let count = 0;
    const prompt: Prompt = { tokenIds: short.token_ids, media: [] };
    const answering = scheduler.generate(prompt, { maxTokens: 12, onToken: () => void (++count === 2 && (long = scheduler.generate(text(700, 1), { maxTokens: 2 }))) });
    await answering;
    await long;
    const from = passes.findIndex(([, rows], i) => i > 0 && rows > 1);
    const pieces = passes.slice(from).flatMap(([, rows], i) => (rows > 1 ? [{ at: i, rows }] : []));
    expect(pieces.reduce((sum, { rows }) => sum + rows, 0)).toBe(700);
    // While there was somebody answering, every piece was small and followed by a step.
    for (const { at, rows } of pieces.slice(0, 5)) {
      expect(rows).toBeLessThanOrEqual(128);
      expect(passes[from + at + 1]![1]).toBe(1);
    }
  });

  it("takes the prompts that wait in turn, so that a short one does not wait for a long one", async () => {
    using scheduler = new TestScheduler(engine.architecture);
    const order: string[] = [];
    const ask = (name: string, prompt: Prompt): Promise<number[]> => scheduler.generate(prompt, { maxTokens: 3, onToken: () => void order.push(name) });
    await Promise.all([ask("long", text(900, 1)), ask("short", text(5, 2))]);
    expect(order[0]).toBe("short");
  });

  it("gives the same seed the same text, alone and among others", async () => {
    const sampling = { temperature: 0.9, topP: 0.95, repetitionPenalty: 1.2, maxTokens: 24 };
    const ask = (scheduler: TestScheduler, seed: number): Promise<number[]> => scheduler.generate(text(9, seed % 3), { ...sampling, seed });
    using together = new TestScheduler(engine.architecture);
    const seeds = [1, 2, 3, 4, 5, 6, 7, 8];
    const answers = await Promise.all(seeds.map((seed) => ask(together, seed)));
    for (const [i, seed] of seeds.entries()) {
      using alone = new TestScheduler(engine.architecture);
      expect(await ask(alone, seed)).toEqual(answers[i]);
    }
    expect(new Set(answers.map(String)).size).toBe(seeds.length);
  });

  it("refuses what can never fit into memory, before any work, and says how much it is", async () => {
    const passes: [number, number][] = [];
    clearCache();
    const { activeBytes } = memoryUse();
    const bytes = bytesOfRows(engine.architecture, 512);
    using scheduler = new TestScheduler(watched(engine.architecture, passes), { maxMemoryBytes: activeBytes + bytes });
    passes.length = 0;
    await expect(scheduler.generate(text(300, 1), { maxTokens: 2 })).rejects.toMatchObject({ code: "out_of_memory", message: expect.stringMatching(/300 tokens takes about \d+ MiB, beside \d+ MiB for the model, of \d+ MiB/) as string });
    expect(passes).toEqual([]);
    expect(await scheduler.generate(text(200, 1), { maxTokens: 2 })).toHaveLength(2);
  });

  it("lets those wait that do not fit beside others, and what is kept for later make room", async () => {
    const passes: [number, number][] = [];
    clearCache();
    const { activeBytes } = memoryUse();
    const bytes = bytesOfRows(engine.architecture, 512);
    using scheduler = new TestScheduler(watched(engine.architecture, passes), { maxMemoryBytes: activeBytes + 2.5 * bytes });
    passes.length = 0;
    const prompts = [1, 2, 3, 4].map((seed) => text(200, seed));
    const answers = await Promise.all(prompts.map((prompt) => scheduler.generate(prompt, { maxTokens: 5 })));
    expect(Math.max(...passes.map(([batch]) => batch))).toBe(2);
    expect(scheduler.cache.bytes).toBeLessThanOrEqual(2.5 * bytes);
    using alone = new TestScheduler(engine.architecture);
    for (const [i, prompt] of prompts.entries()) expect(await alone.generate(prompt, { maxTokens: 5 })).toEqual(answers[i]);
  });

  it("keeps to another bound from where it is set: what runs goes on, what waits and cannot fit fails, what is kept goes", async () => {
    clearCache();
    const { activeBytes } = memoryUse();
    const bytes = bytesOfRows(engine.architecture, 512);
    using scheduler = new TestScheduler(engine.architecture, { maxMemoryBytes: activeBytes + 1.5 * bytes });
    await scheduler.generate(text(64, 3), { maxTokens: 2 });
    expect(scheduler.cache.bytes).toBeGreaterThan(0);
    let taken = 0;
    let kept = -1;
    const running = scheduler.generate(text(200, 1), {
      maxTokens: 12,
      onToken: () => {
        if (++taken !== 5) return;
        scheduler.scheduler.limitMemory(activeBytes + 0.5 * bytes);
        kept = scheduler.cache.bytes;
      },
    });
    const [answer, waiting] = await Promise.all([running, scheduler.generate(text(200, 2), { maxTokens: 12 }).catch((error: unknown) => error)]);
    expect(waiting).toMatchObject({ code: "out_of_memory", neededBytes: expect.any(Number) as number });
    expect(kept).toBe(0);
    expect(scheduler.scheduler.memory.runningBytes).toBe(0);
    using alone = new TestScheduler(engine.architecture);
    expect(answer).toEqual(await alone.generate(text(200, 1), { maxTokens: 12 }));
    scheduler.scheduler.limitMemory((waiting as DeskhandError).neededBytes!);
    expect(await scheduler.generate(text(200, 2), { maxTokens: 2 })).toHaveLength(2);
  });

  it("fails what fails alone, and goes on with the others", async () => {
    using scheduler = new TestScheduler(engine.architecture);
    const expected = golden.cases[0]!.greedy_token_ids;
    const broken = scheduler.generate(text(4, 1), {
      maxTokens: 9,
      onToken: () => {
        throw new Error("broken");
      },
    });
    const sound = scheduler.generate({ tokenIds: golden.cases[0]!.token_ids, media: [] }, { maxTokens: expected.length });
    await expect(broken).rejects.toThrow("broken");
    expect(await sound).toEqual(expected);
  });

  it("tells the caller how a generation ended whatever becomes of what it leaves behind, and goes on with the others", async () => {
    const baseline = liveTensors();
    {
      using scheduler = new TestScheduler(engine.architecture);
      const { cache } = scheduler;
      const broken = (): never => {
        throw new Error("nothing can be kept");
      };
      const { token_ids: tokenIds, greedy_token_ids: expected } = golden.cases[0]!;
      // One is left, which is sound, one fails by itself, and one comes to its end.
      cache.close = broken;
      const controller = new AbortController();
      const ends = await Promise.allSettled([
        scheduler.generate(text(4, 1), { maxTokens: 50, signal: controller.signal, onToken: () => controller.abort() }),
        scheduler.generate(text(5, 2), { maxTokens: 50, onToken: () => { throw new Error("broken"); } }),
        scheduler.generate({ tokenIds, media: [] }, { maxTokens: expected.length }),
      ]); // prettier-ignore
      expect(ends).toMatchObject([{ reason: { code: "cancelled" } }, { reason: { message: "broken" } }, { value: expected }]);
      const discard = cache.discard.bind(cache);
      cache.discard = (session) => {
        discard(session);
        broken();
      };
      await expect(scheduler.generate(text(4, 3), { maxTokens: 50, onToken: () => { throw new Error("broken too"); } })).rejects.toThrow("broken too"); // prettier-ignore
      for (const name of ["close", "discard"]) Reflect.deleteProperty(cache, name);
      expect(await scheduler.generate({ tokenIds, media: [] }, { maxTokens: expected.length })).toEqual(expected);
      expect(scheduler.scheduler.running).toBe(0);
    }
    expect(liveTensors()).toBe(baseline);
  });

  it("fails all when a pass fails, and works again afterwards", async () => {
    const baseline = liveTensors();
    let passes = 0;
    const failing = new Proxy(engine.architecture, {
      get(target, name) {
        if (name === "decode") {
          return (input: DecoderInput, caches: Parameters<Architecture["decode"]>[1]) => {
            if (input.embeddings.dim(0) === 2 && passes++ === 1) throw new Error("out of memory");
            return target.decode(input, caches);
          };
        }
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
    {
      using scheduler = new TestScheduler(failing);
      const both = await Promise.allSettled([scheduler.generate(text(4, 1), { maxTokens: 9 }), scheduler.generate(text(5, 1), { maxTokens: 9 })]);
      expect(both.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
      const { token_ids: tokenIds, greedy_token_ids: expected } = golden.cases[0]!;
      expect(await scheduler.generate({ tokenIds, media: [] }, { maxTokens: expected.length })).toEqual(expected);
    }
    expect(liveTensors()).toBe(baseline);
  });
});

describe("a model", () => {
  let model: Model;
  const screen = (name: string): string => `${FIXTURES}embedded/screens/${name}.png`;
  const ask = (i: number): Parameters<Model["generate"]> => [
    ["What do you see?", "Task: press OK\nPrevious actions: none", "Hello", "Is OK checked?"][i % 4]!,
    { images: i % 3 === 0 ? [screen(i === 3 ? "yad-form" : "zenity-empty")] : [], maxTokens: 6 + i, temperature: 0, repetitionPenalty: 1, ...(i === 5 ? { stop: ["e"] } : {}) },
  ];

  beforeAll(async () => void (model = await load(TINY)));
  afterAll(() => model.dispose());

  it("answers a batch of eight, with and without pictures, as each alone", async () => {
    const alone: string[] = [];
    for (let i = 0; i < 8; i++) alone.push((await model.generate(...ask(i))).text);
    const together = await Promise.all(Array.from({ length: 8 }, (_, i) => model.generate(...ask(i))));
    expect(together.map(({ text }) => text)).toEqual(alone);
    expect(new Set(alone).size).toBeGreaterThan(3);
  });

  it("goes on with the others while it reads a long text", async () => {
    const [prompt, options] = ask(2);
    const [end] = await model.encode("<|im_end|>");
    const answer = model.streamGenerate(prompt, { ...options, maxTokens: 2000, stop: [], logitBias: { [end!]: -100 } });
    await answer.next();
    const events: string[] = [];
    const text = Array.from({ length: 40_000 }, (_, i) => `word${i}`).join(" ");
    const read = model.encode(text).then(() => events.push("read"));
    while (!events.includes("read")) {
      if ((await answer.next()).done) throw new Error("the answer came to its end before the text");
      events.push("answer");
    }
    await read;
    await answer.return(undefined as never);
    expect(events.indexOf("read")).toBeGreaterThan(3);
  });

  it("goes on with the others while one reader does not read", async () => {
    const [prompt, options] = ask(2);
    const expected = await model.generate(prompt, { ...options, maxTokens: 45, temperature: 1, seed: 3 });
    const unread = model.streamGenerate(prompt, { ...options, maxTokens: 45, temperature: 1, seed: 3 });
    let text = (await unread.next()).value.text;
    expect((await model.generate(...ask(4))).tokenIds.length).toBeGreaterThan(0);
    for await (const delta of unread) text += delta.text;
    expect(text).toBe(expected.text);
  });

  it("runs no more at once than it was asked to, and lets those who wait leave", async () => {
    await using narrow = await load(TINY, { maxConcurrent: 1 });
    const first = narrow.streamGenerate(...ask(2));
    await first.next();
    const controller = new AbortController();
    const waiting = narrow.generate("Hello", { maxTokens: 2, signal: controller.signal });
    const next = narrow.generate("Hello", { maxTokens: 2 });
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: "cancelled" });
    await first.return(undefined as never);
    expect((await next).completionTokens).toBeGreaterThan(0);
  });
});
