import { createServer } from "node:http";
import { once } from "node:events";
import { connect, type AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { ScriptedEngine } from "../../src/engine/scripted-engine.js";
import { buildApp } from "../../src/server/app.js";
import { ErrorBody } from "../../src/server/schemas/error.js";
import { serve, type RunningServer, type ServeOptions } from "../../src/server/start.js";
import { deferred, endlessText, HELLO, parseStream, poolOf, scriptedApp, until } from "./support.js";

const started: RunningServer[] = [];
afterEach(async () => {
  for (const server of started.splice(0)) await server.close();
});

async function start(engine: ScriptedEngine, options: Partial<ServeOptions> = {}): Promise<RunningServer> {
  const server = await serve({ engine, port: 0, ...options });
  started.push(server);
  return server;
}

const chat = (url: string, body: object, signal?: AbortSignal) =>
  fetch(`${url}/v1/chat/completions`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ ...HELLO, ...body }), signal });

/** Waits until the server reports this many requests, running and waiting. */
async function untilPlaces(url: string, count: number): Promise<void> {
  for (;;) {
    const health = (await (await fetch(`${url}/health`)).json()) as { requests: number };
    if (health.requests === count) return;
  }
}

describe("starting", () => {
  it("answers on a free port, with the engine's model", async () => {
    const server = await start(new ScriptedEngine(["hi"], { info: { id: "some/model" } }));
    expect(server).toMatchObject({ modelId: "some/model", url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) as string });
    expect((await chat(server.url, { model: "model" })).status).toBe(200);
  });

  it("accepts the name it was asked for by", async () => {
    const server = await start(new ScriptedEngine(["hi"], { info: { id: "some/model" } }), { model: "nickname" });
    expect((await chat(server.url, { model: "nickname" })).status).toBe(200);
  });

  it("names the port when it is in use, and starts no engine", async () => {
    const holder = createServer().listen(0, "127.0.0.1");
    await once(holder, "listening");
    const { port } = holder.address() as AddressInfo;
    const engine = new ScriptedEngine([]);
    await expect(serve({ engine, port })).rejects.toMatchObject({ code: "port_in_use", message: expect.stringContaining(String(port)) as string });
    expect(engine.state).toBe("new");
    holder.close();
  });

  it("refuses an address that is not this machine's", async () => {
    await expect(serve({ engine: new ScriptedEngine([]), host: "192.0.2.1", port: 0 })).rejects.toMatchObject({ code: "invalid_argument" });
  });

  it("is over, with the port free again, when the model does not load or the start is cancelled", async () => {
    const broken = new ScriptedEngine([], { onStart: () => { throw new Error("no such weights"); } });
    await expect(serve({ engine: broken, port: 0 })).rejects.toThrow("no such weights");
    expect(broken.state).toBe("stopped");
    const controller = new AbortController();
    const slow = new ScriptedEngine([], { onStart: async (signal) => { queueMicrotask(() => controller.abort()); if (signal) await once(signal, "abort"); } });
    await expect(serve({ engine: slow, port: 0, signal: controller.signal })).rejects.toMatchObject({ code: "cancelled" });
    expect(slow.state).toBe("stopped");
  });
});

it("while the model loads, health answers, ready says 503, and a chat waits; not for ever", async () => {
  const gate = deferred();
  const engine = new ScriptedEngine(() => "hi", { onStart: () => gate.promise });
  const models = poolOf(engine, { loadTimeoutMs: 200 });
  const { app, close } = buildApp({ models, listModels: () => Promise.resolve([]) });
  const loading = models.start();
  const ask = () => app.inject({ method: "POST", url: "/v1/chat/completions", payload: HELLO });
  await until(() => models.defaultModel.state === "loading");
  expect((await app.inject("/health")).json()).toMatchObject({ status: "loading", model: null, models: [{ id: "scripted", state: "loading" }] });
  expect((await app.inject("/ready")).statusCode).toBe(503);
  const early = await ask();
  expect(early.statusCode).toBe(503);
  expect(early.headers["retry-after"]).toBe("1");
  expect(ErrorBody.parse(early.json()).error).toMatchObject({ code: "engine_unavailable", type: "server_error" });
  const patient = ask();
  await until(() => models.places === 1);
  gate.resolve();
  await loading;
  expect((await patient).statusCode).toBe(200);
  expect((await app.inject("/health")).json()).toMatchObject({ status: "ok", model: "scripted" });
  expect((await app.inject("/ready")).statusCode).toBe(200);
  await close();
});

it("says 503 and why when the model could not be loaded", async () => {
  const models = poolOf(new ScriptedEngine([], { onStart: () => { throw new Error("no such weights"); } }));
  await expect(models.start()).rejects.toThrow("no such weights");
  const { app, close } = buildApp({ models, listModels: () => Promise.resolve([]) });
  expect((await app.inject("/health")).json()).toMatchObject({ status: "failed" });
  const answer = await app.inject({ method: "POST", url: "/v1/chat/completions", payload: HELLO });
  expect(answer.statusCode).toBe(503);
  expect(ErrorBody.parse(answer.json()).error.message).toContain("no such weights");
  await close();
});

describe("a client that leaves", () => {
  it.each([true, false])("ends its generation within a step (stream: %s)", async (stream) => {
    const engine = new ScriptedEngine(() => ({ text: endlessText() }));
    const server = await start(engine);
    const controller = new AbortController();
    const response = chat(server.url, { stream }, controller.signal);
    response.catch(() => undefined);
    if (stream) await (await response).body?.getReader().read();
    await until(() => engine.steps > 5);
    controller.abort();
    await until(() => engine.outcomes.length === 1);
    expect(engine.outcomes).toEqual(["cancelled"]);
    expect(engine.running).toBe(0);
  });

  it("stops within one step of the abort reaching the engine", async () => {
    const engine = new ScriptedEngine(() => {
      let aborts = 0;
      return {
        text: endlessText(),
        beforeStep: (_step, signal) => {
          if (signal?.aborted && ++aborts > 1) throw new Error("a second step began after the abort");
        },
      };
    });
    const server = await start(engine);
    const controller = new AbortController();
    const response = chat(server.url, {}, controller.signal);
    response.catch(() => undefined);
    await until(() => engine.steps > 5);
    controller.abort();
    await until(() => engine.outcomes.length === 1);
    expect(engine.outcomes).toEqual(["cancelled"]);
  });

  it("while waiting never reaches the engine and frees its place", async () => {
    const gate = deferred();
    const engine = new ScriptedEngine(() => ({ text: "ok", beforeStep: () => gate.promise }));
    const server = await start(engine, { limits: { maxConcurrent: 1, maxWaiting: 1 } });
    const first = chat(server.url, {});
    await until(() => engine.running === 1);
    const controller = new AbortController();
    const second = chat(server.url, {}, controller.signal);
    second.catch(() => undefined);
    await untilPlaces(server.url, 2);
    expect((await chat(server.url, {})).status).toBe(429);
    controller.abort();
    await untilPlaces(server.url, 1);
    const third = chat(server.url, {});
    gate.resolve();
    expect((await first).status).toBe(200);
    expect((await third).status).toBe(200);
    expect(engine.requests).toHaveLength(2);
  });

  it("that reads nothing holds the engine back, and is let go after the stall time", async () => {
    const engine = new ScriptedEngine(() => ({ text: endlessText("x".repeat(10_000)) }));
    const server = await start(engine, { limits: { stallTimeoutMs: 500 } });
    const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
    await once(socket, "connect");
    socket.pause();
    const body = JSON.stringify({ ...HELLO, stream: true });
    socket.write(`POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    socket.on("error", () => undefined);
    await until(() => engine.outcomes.length === 1);
    expect(engine.outcomes).toEqual(["cancelled"]);
    // Socket buffers of the kernel take a few megabytes; an engine not held back would have made far more in the time.
    expect(engine.steps * 10_000).toBeLessThan(64 * 2 ** 20);
    socket.destroy();
  });
});

describe("closing", () => {
  it("lets a running answer finish, refuses new requests, and stops the engine", async () => {
    const gate = deferred();
    const engine = new ScriptedEngine(() => ({ text: "finished", beforeStep: () => gate.promise }));
    const server = await start(engine, { limits: { drainTimeoutMs: 60_000 } });
    const running = chat(server.url, {});
    await until(() => engine.running === 1);
    const closing = server.close();
    const refused = await chat(server.url, {});
    expect(refused.status).toBe(503);
    expect(refused.headers.get("retry-after")).toBe("1");
    expect((await fetch(`${server.url}/ready`)).status).toBe(503);
    expect(await (await fetch(`${server.url}/health`)).json()).toMatchObject({ status: "stopped", requests: 1 });
    gate.resolve();
    const response = await running;
    expect(response.status).toBe(200);
    expect(await response.text()).toContain("finished");
    await closing;
    await expect(chat(server.url, {})).rejects.toThrow();
    expect(engine.outcomes).toEqual(["finished"]);
    expect(engine.state).toBe("stopped");
  });

  it("cancels what still runs after the grace, telling the client", async () => {
    const engine = new ScriptedEngine(() => ({ text: endlessText() }));
    const server = await start(engine, { limits: { drainTimeoutMs: 50, maxConcurrent: 1 } });
    const streamed = await chat(server.url, { stream: true });
    const text = streamed.text();
    const waiting = chat(server.url, {});
    waiting.catch(() => undefined);
    await untilPlaces(server.url, 2);
    await server.close();
    const { error, isDone } = parseStream(await text);
    expect(error).toMatchObject({ code: "engine_unavailable", type: "server_error" });
    expect(isDone).toBe(false);
    expect((await waiting).status).toBe(503);
    expect(engine.outcomes).toEqual(["cancelled"]);
  });

  it("follows an abort of the signal", async () => {
    const engine = new ScriptedEngine([]);
    const controller = new AbortController();
    const server = await start(engine, { signal: controller.signal });
    controller.abort();
    await until(() => engine.state === "stopped");
    await expect(fetch(`${server.url}/health`)).rejects.toThrow();
  });

  it("of an application that is not listening resolves", async () => {
    const server = await scriptedApp([]);
    await server.close();
    await server.close();
  });
});
