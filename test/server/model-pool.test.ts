import OpenAI from "openai";
import { afterEach, describe, expect, it } from "vitest";
import { ScriptedEngine, type Script } from "../../src/engine/scripted-engine.js";
import { buildApp } from "../../src/server/app.js";
import type { ModelSpec } from "../../src/server/hosted-model.js";
import { DEFAULT_LIMITS, type ServerLimits } from "../../src/server/limits.js";
import { ModelPool } from "../../src/server/model-pool.js";
import { ErrorBody } from "../../src/server/schemas/error.js";
import { Model, ModelList } from "../../src/server/schemas/models.js";
import { deferred, endlessText, until } from "./support.js";

const GB = 1e9;
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

interface Scripted {
  id: string;
  bytes?: number;
  script?: Script;
  onStart?: () => void | Promise<void>;
  isPinned?: boolean;
}

/** Models whose engines are scripted; `made` has every engine that was ever started, by model. */
function serverOf(scripted: readonly Scripted[], { limits, more = [], apiKey }: { limits?: Partial<ServerLimits>; more?: readonly Scripted[]; apiKey?: string } = {}) {
  const made: Record<string, ScriptedEngine[]> = {};
  const specOf = ({ id, bytes = GB, script = () => `I am ${id}`, onStart, isPinned }: Scripted): ModelSpec => ({
    id,
    isPinned,
    sizeBytes: () => Promise.resolve(bytes),
    createEngine: () => {
      const engine = new ScriptedEngine(script, { info: { id }, stats: { rssBytes: bytes, weightBytes: bytes }, onStart });
      (made[id] ??= []).push(engine);
      return engine;
    },
  });
  const all = { ...DEFAULT_LIMITS, ...limits };
  const models = new ModelPool({
    models: scripted.map(specOf) as [ModelSpec, ...ModelSpec[]],
    findMore: (name) => Promise.resolve(more.filter(({ id }) => id === name).map(specOf)[0]),
    limits: all,
  });
  const { app, close } = buildApp({ models, listModels: () => Promise.resolve([]), limits: all, apiKey });
  closers.push(async () => {
    await close();
    await models.stop();
  });
  const headers: Record<string, string> = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
  const ask = async (model: string | undefined, more: object = {}) => {
    const response = await app.inject({ method: "POST", url: "/v1/chat/completions", headers, payload: { model, messages: [{ role: "user", content: "who?" }], ...more } });
    return { status: response.statusCode, body: response.json<{ choices?: { message: { content: string } }[] }>(), headers: response.headers };
  };
  const says = async (model: string | undefined) => (await ask(model)).body.choices?.[0]?.message.content;
  const states = async () => Object.fromEntries(ModelList.parse((await app.inject({ url: "/v1/models", headers })).json()).data.map(({ id, state }) => [id, state]));
  const post = async (url: string, model: string, more: Record<string, string> = headers) => {
    const response = await app.inject({ method: "POST", url, headers: more, payload: { model } });
    return { status: response.statusCode, body: response.json<unknown>() };
  };
  return { app, models, made, ask, says, states, post };
}

describe("several models", () => {
  it("are loaded when a request first names them, the default at the start", async () => {
    const server = serverOf([{ id: "a" }, { id: "b" }]);
    await server.models.start();
    expect(await server.states()).toEqual({ a: "loaded", b: "cached" });
    expect(server.made["b"]).toBeUndefined();
    expect(await server.says("b")).toBe("I am b");
    expect(await server.says(undefined)).toBe("I am a");
    expect(await server.states()).toEqual({ a: "loaded", b: "loaded" });
  });

  it("are loaded once, however many ask at first, and each request gets its own model", async () => {
    const gate = deferred();
    const server = serverOf([{ id: "a" }, { id: "b", onStart: () => gate.promise }]);
    await server.models.start();
    const asked = ["b", "b", "a", "b"].map((model) => server.says(model));
    await until(() => server.models.known("b").users === 3);
    expect(await server.states()).toEqual({ a: "loaded", b: "loading" });
    expect((await server.app.inject("/ready/b")).statusCode).toBe(503);
    expect((await server.app.inject("/ready")).statusCode).toBe(200);
    gate.resolve();
    expect(await Promise.all(asked)).toEqual(["I am b", "I am b", "I am a", "I am b"]);
    expect(server.made["b"]).toHaveLength(1);
    expect((await server.app.inject("/ready/b")).statusCode).toBe(200);
    expect((await server.app.inject("/ready/c")).statusCode).toBe(404);
  });

  it("make room for each other, the longest unused first", async () => {
    const server = serverOf([{ id: "a" }, { id: "b" }, { id: "c" }], { limits: { maxMemoryBytes: 2 * GB } });
    await server.models.start();
    await server.says("b");
    await server.says("a");
    expect(await server.says("c")).toBe("I am c");
    expect(await server.states()).toEqual({ a: "loaded", b: "cached", c: "loaded" });
    expect(server.made["b"]?.[0]?.state).toBe("stopped");
    expect(await server.says("b")).toBe("I am b");
    expect(await server.states()).toEqual({ a: "cached", b: "loaded", c: "loaded" });
    expect((await server.app.inject("/ready")).statusCode).toBe(200);
    expect(await server.says(undefined)).toBe("I am a");
  });

  it("are never taken from a request that uses them: the next one waits until it is done", async () => {
    const server = serverOf([{ id: "a", script: () => ({ text: endlessText() }) }, { id: "b" }], { limits: { maxMemoryBytes: 1.5 * GB } });
    await server.models.start();
    const lease = await server.models.borrow("a", { task: "generate", signal: new AbortController().signal });
    const waiting = server.says("b");
    await until(() => server.models.known("b").users === 1);
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(server.made["a"]?.[0]?.state).toBe("started");
    expect(server.made["b"]).toBeUndefined();
    lease[Symbol.dispose]();
    expect(await waiting).toBe("I am b");
    expect(server.made["a"]?.[0]?.state).toBe("stopped");
  });

  it("are waited for no longer than the limit says", async () => {
    const server = serverOf([{ id: "a" }, { id: "b" }], { limits: { maxMemoryBytes: 1.5 * GB, loadTimeoutMs: 50 } });
    await server.models.start();
    using _ = await server.models.borrow("a", { task: "generate", signal: new AbortController().signal });
    const late = await server.ask("b");
    expect(late).toMatchObject({ status: 503, body: { error: { code: "engine_unavailable" } } });
    expect(Number(late.headers["retry-after"])).toBeGreaterThanOrEqual(1);
    expect(await server.says("a")).toBe("I am a");
  });

  it("that can never fit are refused, saying why", async () => {
    const server = serverOf([{ id: "a", isPinned: true }, { id: "b" }, { id: "c", bytes: 5 * GB }], { limits: { maxMemoryBytes: 1.5 * GB } });
    await server.models.start();
    for (const model of ["b", "c"]) {
      const { status, body } = await server.ask(model);
      expect(status).toBe(422);
      expect(ErrorBody.parse(body).error).toMatchObject({ code: "model_too_large", message: expect.stringMatching(/takes about .* GB .* --max-memory/) as string });
    }
    expect(await server.says("a")).toBe("I am a");
  });

  it("go when nobody has used them for long, but for the pinned", async () => {
    const server = serverOf([{ id: "a" }, { id: "p", isPinned: true }], { limits: { idleTimeoutMs: 30 } });
    await server.models.start();
    await until(() => server.models.defaultModel.state === "unloaded");
    expect(await server.states()).toEqual({ a: "cached", p: "loaded" });
    expect(await server.says("a")).toBe("I am a");
    await until(() => server.made["a"]?.[1]?.state === "stopped");
    expect(server.made["p"]).toHaveLength(1);
    expect(server.made["p"]?.[0]?.state).toBe("started");
  });

  it("may be left while they load, and are there for the next", async () => {
    const gate = deferred();
    const server = serverOf([{ id: "a" }, { id: "b", onStart: () => gate.promise }]);
    await server.models.start();
    const controller = new AbortController();
    const leaving = server.models.borrow("b", { task: "generate", signal: controller.signal });
    await until(() => server.models.known("b").state === "loading");
    controller.abort();
    await expect(leaving).rejects.toMatchObject({ code: "cancelled" });
    expect(server.models.known("b")).toMatchObject({ users: 0, state: "loading" });
    expect(server.models.places).toBe(0);
    gate.resolve();
    expect(await server.says("b")).toBe("I am b");
    expect(server.made["b"]).toHaveLength(1);
  });

  it("that do not load say so, and do not take the server with them", async () => {
    const server = serverOf([{ id: "a" }, { id: "b", onStart: () => { throw new Error("weights are missing"); } }]);
    await server.models.start();
    expect((await server.ask("b")).status).toBe(500);
    expect(await server.ask("b")).toMatchObject({ status: 503, body: { error: { message: expect.stringContaining("weights are missing") as string } } });
    expect(server.made["b"]).toHaveLength(1);
    expect(await server.says("a")).toBe("I am a");
    expect((await server.app.inject("/ready")).statusCode).toBe(200);
  });

  it("requests name only those the server was given, and with allowLoad those of this machine", async () => {
    const closed = serverOf([{ id: "a" }]);
    await closed.models.start();
    expect(await closed.ask("x")).toMatchObject({ status: 404, body: { error: { code: "model_not_found" } } });
    const open = serverOf([{ id: "a" }], { more: [{ id: "x" }] });
    await open.models.start();
    expect(await Promise.all([open.says("x"), open.says("x")])).toEqual(["I am x", "I am x"]);
    expect(open.made["x"]).toHaveLength(1);
    expect((await open.ask("../../etc")).status).toBe(404);
  });

  it("a bounded number of requests waits for one that loads", async () => {
    const gate = deferred();
    const server = serverOf([{ id: "a" }, { id: "b", onStart: () => gate.promise }], { limits: { maxConcurrent: 1, maxWaiting: 2 } });
    await server.models.start();
    const accepted = [1, 2, 3].map(() => server.says("b"));
    await until(() => server.models.known("b").users === 3);
    expect((await server.ask("b")).status).toBe(429);
    expect(await server.says("a")).toBe("I am a");
    gate.resolve();
    expect(await Promise.all(accepted)).toEqual(["I am b", "I am b", "I am b"]);
  });
});

describe("loading and unloading by request", () => {
  const KEY = "sesame";

  it("needs a server with a key, and the key", async () => {
    const without = serverOf([{ id: "a" }, { id: "b" }]);
    await without.models.start();
    for (const what of ["load", "unload"]) {
      const { status, body } = await without.post(`/v1/models/${what}`, "b");
      expect(status).toBe(403);
      expect(ErrorBody.parse(body).error).toMatchObject({ code: "forbidden", message: expect.stringContaining("--api-key") as string });
    }
    const keyed = serverOf([{ id: "a" }, { id: "b" }], { apiKey: KEY });
    await keyed.models.start();
    for (const headers of [{}, { authorization: "Bearer wrong" }, { "x-api-key": `${KEY} ` + "x" }] as Record<string, string>[]) {
      expect((await keyed.post("/v1/models/load", "b", headers)).status).toBe(401);
    }
    expect(keyed.made["b"]).toBeUndefined();
  });

  it("loads and frees, and says what is", async () => {
    const server = serverOf([{ id: "a" }, { id: "b" }, { id: "p", isPinned: true }], { apiKey: KEY });
    await server.models.start();
    const loaded = await server.post("/v1/models/load", "b");
    expect(loaded.status).toBe(200);
    expect(Model.parse(loaded.body)).toMatchObject({ id: "b", state: "loaded", memory_bytes: GB });
    const unloaded = await server.post("/v1/models/unload", "b");
    expect(Model.parse(unloaded.body)).toMatchObject({ id: "b", state: "cached" });
    expect(server.made["b"]?.[0]?.state).toBe("stopped");
    expect(await server.post("/v1/models/unload", "p")).toMatchObject({ status: 409, body: { error: { code: "model_busy" } } });
    using _ = await server.models.borrow("a", { task: "generate", signal: new AbortController().signal });
    expect(await server.post("/v1/models/unload", "a")).toMatchObject({ status: 409, body: { error: { code: "model_busy" } } });
    expect((await server.post("/v1/models/load", "nobody")).status).toBe(404);
    expect((await server.post("/v1/models/load", "")).status).toBe(400);
  });

  it("takes the key as OpenAI's and as Anthropic's clients send it; health and ready need none", async () => {
    const server = serverOf([{ id: "a" }], { apiKey: KEY });
    await server.models.start();
    const url = await server.app.listen({ port: 0, host: "127.0.0.1" });
    const openai = (apiKey: string) => new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });
    expect((await openai(KEY).models.list()).data.map(({ id }) => id)).toEqual(["a"]);
    await expect(openai("other").models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
    expect((await server.app.inject({ url: "/v1/models", headers: { "x-api-key": KEY } })).statusCode).toBe(200);
    const refused = await server.app.inject("/v1/models");
    expect(refused.statusCode).toBe(401);
    expect(ErrorBody.parse(refused.json()).error).toMatchObject({ type: "authentication_error", code: "unauthorized" });
    expect((await server.app.inject("/nowhere")).statusCode).toBe(401);
    for (const path of ["/health", "/ready"]) expect((await server.app.inject(path)).statusCode).toBe(200);
  });
});
