import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { DeskhandError } from "../../src/core/errors.js";
import { ProcessEngine } from "../../src/engine/host/process-engine.js";
import type { ChatRequest, Engine } from "../../src/engine/inference.js";
import { ScriptedEngine, type Script } from "../../src/engine/scripted-engine.js";
import { buildApp } from "../../src/server/app.js";
import type { ModelSpec } from "../../src/server/hosted-model.js";
import { DEFAULT_LIMITS, type ServerLimits } from "../../src/server/limits.js";
import { ModelPool } from "../../src/server/model-pool.js";
import { deferred, ENGINE_PROGRAM, until } from "./support.js";

const GB = 1e9;
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

function serverOf(specs: readonly ModelSpec[], given: Partial<ServerLimits>) {
  const limits = { ...DEFAULT_LIMITS, ...given };
  const models = new ModelPool({ models: specs as [ModelSpec, ...ModelSpec[]], limits });
  const { app, close } = buildApp({ models, listModels: () => Promise.resolve([]), limits });
  closers.push(async () => {
    await close();
    await models.stop();
  });
  const ask = async (model: string, more: object = {}) => {
    const response = await app.inject({ method: "POST", url: "/v1/chat/completions", payload: { model, messages: [{ role: "user", content: "who?" }], ...more } });
    return { status: response.statusCode, headers: response.headers, text: response.body };
  };
  const states = () => Object.fromEntries(models.models.map(({ id, state }) => [id, state]));
  const borrow = (model: string) => models.borrow(model, { task: "generate", signal: new AbortController().signal });
  /** What each loaded engine was told to keep to, or began with. */
  const allowed = () => Object.fromEntries(models.models.filter(({ isPresent }) => isPresent).map(({ id, allowedBytes }) => [id, allowedBytes]));
  return { app, models, ask, states, borrow, allowed };
}

interface Scripted {
  id: string;
  bytes?: number;
  isPinned?: boolean;
  script?: (limit: () => number) => Script;
}

/** Scripted models that take 1 GB unless said otherwise; `told` has what every engine was begun with and told later, in order over all. */
function scriptedServer(scripted: readonly Scripted[], limits: Partial<ServerLimits>) {
  const told: [id: string, bytes: number][] = [];
  const made: Record<string, ScriptedEngine> = {};
  const specs = scripted.map(
    ({ id, bytes = GB, isPinned, script = () => () => `I am ${id}` }): ModelSpec => ({
      id,
      isPinned,
      sizeBytes: () => Promise.resolve(bytes),
      createEngine: ({ maxMemoryBytes }) => {
        told.push([id, maxMemoryBytes]);
        const limit = (): number => told.findLast(([one]) => one === id)![1];
        const engine = new ScriptedEngine(script(limit), { info: { id }, stats: { weightBytes: bytes } });
        made[id] = engine;
        const { limits } = engine;
        limits.push = (...given) => told.push(...given.map((one): [string, number] => [id, one]));
        return engine;
      },
    }),
  );
  return { ...serverOf(specs, limits), told, made };
}

/** Answers once it may take this much, and says until then that it needs it. */
function needing(neededBytes: number): NonNullable<Scripted["script"]> {
  return (limit) => () => (limit() < neededBytes ? { error: new DeskhandError("out_of_memory", "Expected a prompt that fits into memory.", { param: "messages", neededBytes }) } : "There was room.");
}

describe("the allowances of several engines", () => {
  it("are the bound together, whoever comes and goes: each what it cannot let go of, and a like part of the rest", async () => {
    const { models, borrow, allowed, told } = scriptedServer([{ id: "a" }, { id: "b", bytes: 3 * GB }], { maxMemoryBytes: 6 * GB });
    await models.start();
    expect(allowed()).toEqual({ a: 6 * GB });
    (await borrow("b"))[Symbol.dispose]();
    expect(allowed()).toEqual({ a: 2 * GB, b: 4 * GB });
    // The one had given back what the other began with.
    expect(told).toEqual([["a", 6 * GB], ["a", 2 * GB], ["b", 4 * GB]]); // prettier-ignore
    await models.unload("b");
    expect(told.at(-1)).toEqual(["a", 6 * GB]);
  });

  it("shrink to what is needed before a model is refused, and nobody is let go for one that cannot fit", async () => {
    const { models, ask, states, allowed, made } = scriptedServer([{ id: "a", isPinned: true }, { id: "b" }, { id: "c", bytes: 2 * GB }, { id: "d", bytes: 2.5 * GB }], { maxMemoryBytes: 3 * GB });
    await models.start();
    expect((await ask("b")).status).toBe(200);
    const refused = await ask("d");
    expect(refused.status).toBe(422);
    expect(refused.text).toMatch(/takes about 2\.50 GB of memory but only 2\.00 GB .*--max-memory/);
    expect(states()).toMatchObject({ a: "ready", b: "ready", d: "unloaded" });
    // All that the pinned one can spare.
    expect((await ask("c")).status).toBe(200);
    expect(states()).toMatchObject({ a: "ready", b: "unloaded", c: "ready" });
    expect(allowed()).toEqual({ a: GB, c: 2 * GB });
    expect(made["a"]?.state).toBe("started");
  });
});

describe("a request that an engine refuses for want of memory", () => {
  it("is tried again once others made room: no more of them than it takes, the longest unused first", async () => {
    const { models, ask, states, allowed, made } = scriptedServer([{ id: "a", script: needing(2.5 * GB) }, { id: "b" }, { id: "c" }], { maxMemoryBytes: 3.5 * GB });
    await models.start();
    for (const model of ["b", "c"]) await ask(model);
    expect(states()).toEqual({ a: "ready", b: "ready", c: "ready" });
    expect(await ask("a")).toMatchObject({ status: 200, text: expect.stringContaining("There was room.") as string });
    expect(states()).toEqual({ a: "ready", b: "unloaded", c: "ready" });
    expect(allowed()).toEqual({ a: 2.5 * GB, c: GB });
    expect(made["a"]?.requests).toHaveLength(2);
  });

  it("takes what others only keep, and lets nobody go where that does", async () => {
    const { models, ask, states } = scriptedServer([{ id: "a", script: needing(2 * GB) }, { id: "b", isPinned: true }], { maxMemoryBytes: 3 * GB });
    await models.start();
    expect((await ask("a", { stream: true })).text).toContain("There was room.");
    expect(states()).toEqual({ a: "ready", b: "ready" });
  });

  it("is refused in the engine's words, and once, where nobody can make room", async () => {
    const { models, ask, made, states } = scriptedServer([{ id: "a", script: needing(2.5 * GB) }, { id: "p", isPinned: true }, { id: "c" }], { maxMemoryBytes: 3 * GB });
    await models.start();
    await ask("c");
    expect(await ask("a")).toMatchObject({ status: 422, text: expect.stringContaining("out_of_memory") as string });
    expect(made["a"]?.requests).toHaveLength(1);
    expect(states()).toEqual({ a: "ready", p: "ready", c: "ready" });
  });

  it("is refused for good when it does not fit into what it asked for", async () => {
    const refuse = (): Script => () => ({ error: new DeskhandError("out_of_memory", "Never.", { neededBytes: 2 * GB }) });
    const { models, ask, made } = scriptedServer([{ id: "a", script: refuse }, { id: "b" }], { maxMemoryBytes: 2.5 * GB });
    await models.start();
    await ask("b");
    expect((await ask("a")).status).toBe(422);
    expect(made["a"]?.requests).toHaveLength(2);
  });

  it("may be sent again later where others are in use, whom nobody takes their model from", async () => {
    const { models, ask, borrow, states } = scriptedServer([{ id: "a", script: needing(2.5 * GB) }, { id: "b" }], { maxMemoryBytes: 3 * GB });
    await models.start();
    const lease = await borrow("b");
    const busy = await ask("a");
    expect(busy).toMatchObject({ status: 503, text: expect.stringContaining("2.50 GB of memory") as string });
    expect(Number(busy.headers["retry-after"])).toBeGreaterThanOrEqual(1);
    expect(states()).toEqual({ a: "ready", b: "ready" });
    lease[Symbol.dispose]();
    expect((await ask("a")).status).toBe(200);
    expect(states()).toEqual({ a: "ready", b: "unloaded" });
  });

  it("does not wait for a model that waits for it in turn", async () => {
    const gate = deferred();
    const refuse = (): Script => () => ({ beforeStep: () => gate.promise, error: new DeskhandError("out_of_memory", "Too long.", { neededBytes: 2 * GB }) });
    const { models, ask, states } = scriptedServer([{ id: "a", script: refuse }, { id: "b" }], { maxMemoryBytes: 1.5 * GB });
    await models.start();
    const refused = ask("a");
    await until(() => models.known("a").users === 1);
    const waiting = ask("b");
    await until(() => models.known("b").users === 1);
    gate.resolve();
    expect((await refused).status).toBe(422);
    expect((await waiting).text).toContain("I am b");
    expect(states()).toEqual({ a: "unloaded", b: "ready" });
  });
});

describe("engines in processes of their own", () => {
  const LONG: ChatRequest = { messages: [], prompt: Array.from({ length: 600 }, (_, i) => 100 + (i % 1500)), maxTokens: 2, temperature: 0 };
  const long = { messages: [{ role: "user", content: "one more word ".repeat(200) }], max_tokens: 2, temperature: 0 };
  let dir: string;
  const engines: ProcessEngine[] = [];
  const engineOf = (name: string, options = {}): ProcessEngine => {
    const engine = new ProcessEngine(join(dir, name), { program: ENGINE_PROGRAM, ...options });
    engines.push(engine);
    return engine;
  };
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "deskhand-two-"));
    for (const name of ["one", "two"]) await cp("models/tiny", join(dir, name), { recursive: true });
  });
  afterAll(() => rm(dir, { recursive: true }));
  afterEach(async () => void (await Promise.all(engines.splice(0).map((engine) => engine.stop()))));

  const outcome = async (engine: Engine): Promise<{ cached: number } | DeskhandError> => {
    try {
      for await (const event of engine.generate(LONG)) if (event.type === "finish") return { cached: event.usage.cachedTokens };
    } catch (error) {
      return error as DeskhandError;
    }
    throw new Error("a generation ended without an end");
  };

  it("keep to another bound from one moment to the next, and so does a process that replaces one", async () => {
    const engine = engineOf("one");
    await engine.start();
    // Whoever asked hears of the end before what ran is kept for later.
    const settled = async () => {
      for (let before = await engine.stats(); ; ) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        const stats = await engine.stats();
        if (stats.runningBytes === 0 && stats.activeBytes === before.activeBytes) return stats;
        before = stats;
      }
    };
    expect(await outcome(engine)).toEqual({ cached: 0 });
    await settled();
    expect(await outcome(engine)).toEqual({ cached: 599 });
    const before = await settled();
    // Weights that are mapped are no tensors; what is kept is.
    await engine.limitMemory(before.weightBytes);
    const after = await settled();
    const rowBytes = 6 * 2 * 2 * 64 * 4;
    expect(before.activeBytes - after.activeBytes).toBeGreaterThanOrEqual(600 * rowBytes);
    const refusal = (await outcome(engine)) as DeskhandError;
    expect(refusal).toMatchObject({ code: "out_of_memory", param: "messages" });
    expect(refusal.neededBytes).toBeGreaterThan(before.weightBytes + 600 * rowBytes);
    await engine.limitMemory(refusal.neededBytes!);
    // What was let go of is computed anew.
    expect(await outcome(engine)).toEqual({ cached: 0 });
    await engine.limitMemory(refusal.neededBytes! - 1);
    const { pid } = engine;
    process.kill(pid!, "SIGKILL");
    while (engine.pid === undefined || engine.pid === pid) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await outcome(engine)).toMatchObject({ code: "out_of_memory" });
  });

  it("share one bound behind a server: a prompt that does not fit beside the other model has that one make room", async () => {
    const alone = engineOf("one");
    await alone.start();
    const { weightBytes } = await alone.stats();
    await alone.limitMemory(weightBytes);
    const { neededBytes } = (await outcome(alone)) as DeskhandError;
    // Both models fit with a short question each, but no model beside a prompt as long as this one.
    const maxMemoryBytes = 2 * weightBytes + Math.floor(0.9 * (neededBytes! - weightBytes));
    const specs = ["one", "two"].map((id): ModelSpec => ({ id, createEngine: (limits) => engineOf(id, limits), sizeBytes: () => Promise.resolve(weightBytes) }));
    const { models, ask, states, allowed } = serverOf(specs, { maxMemoryBytes });
    await models.start();
    const short = { max_tokens: 2, temperature: 0 };
    for (const model of ["one", "two"]) expect((await ask(model, short)).status).toBe(200);
    expect(states()).toEqual({ one: "ready", two: "ready" });
    expect(Object.values(allowed()).reduce((sum, bytes) => sum + bytes)).toBeLessThanOrEqual(maxMemoryBytes);
    expect(await ask("one", long)).toMatchObject({ status: 200 });
    expect(states()).toEqual({ one: "ready", two: "unloaded" });
    // It is there again for the next.
    expect((await ask("two", short)).status).toBe(200);
    expect(states()).toEqual({ one: "ready", two: "ready" });
    expect(Object.values(allowed()).reduce((sum, bytes) => sum + bytes)).toBeLessThanOrEqual(maxMemoryBytes);
  });
});
