import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { InjectOptions } from "fastify";
import { createLogger } from "../../src/core/log.js";
import { ScriptedEngine, type Script, type ScriptedEngineOptions } from "../../src/engine/scripted-engine.js";
import { buildApp, type AppOptions } from "../../src/server/app.js";
import type { ModelSpec } from "../../src/server/hosted-model.js";
import { DEFAULT_LIMITS, type ServerLimits } from "../../src/server/limits.js";
import { ModelPool } from "../../src/server/model-pool.js";
import { ChatCompletion, ChatCompletionChunk } from "../../src/server/schemas/chat-answer.js";
import { ErrorBody } from "../../src/server/schemas/error.js";

/** The engine's process, which runs compiled code. */
export const ENGINE_PROGRAM = new URL("../../dist/engine/host/main.js", import.meta.url);

/** A 1×1 PNG. */
export const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
export const PNG_URI = `data:image/png;base64,${PNG.toString("base64")}`;

/** A request that asks nothing in particular. */
export const HELLO = { model: "scripted", messages: [{ role: "user", content: "hello" }] };

/** The application with a scripted engine, loaded, not listening. */
export async function scriptedApp(script: Script, options: Partial<AppOptions> & { engine?: ScriptedEngineOptions } = {}) {
  const engine = new ScriptedEngine(script, options.engine);
  const models = options.models ?? poolOf(engine, options.limits);
  await models.start();
  const { app, close } = buildApp({ listModels: () => Promise.resolve([]), logger: createLogger("test", "silent"), ...options, models });
  const post = (payload: unknown, more: InjectOptions = {}) =>
    app.inject({ method: "POST", url: "/v1/chat/completions", payload: payload as object, ...more });
  return {
    app,
    engine,
    models,
    close,
    post,
    /** The whole answer, checked against its schema. */
    answer: async (payload: unknown) => {
      const response = await post(payload);
      return ChatCompletion.parse(response.json());
    },
    /** Status and error, checked against its schema. */
    refusal: async (payload: unknown) => {
      const response = await post(payload);
      return { status: response.statusCode, headers: response.headers, ...ErrorBody.parse(response.json()).error };
    },
    stream: async (payload: object) => parseStream((await post({ ...payload, stream: true })).body),
    [Symbol.asyncDispose]: close,
  };
}

/** A pool of one model, whose engine is there already. */
export function poolOf(engine: ScriptedEngine, limits: Partial<ServerLimits> = {}, spec: Partial<ModelSpec> = {}): ModelPool {
  return new ModelPool({ models: [{ id: engine.info.id, createEngine: () => engine, ...spec }], limits: { ...DEFAULT_LIMITS, ...limits } });
}

/** The events of a stream's text, each chunk checked against its schema; `error` is the last event of one that failed. */
export function parseStream(body: string) {
  const payloads = body.split("\n\n").filter((event) => event !== "");
  const chunks: ChatCompletionChunk[] = [];
  let isDone = false;
  let error: ErrorBody["error"] | undefined;
  for (const event of payloads) {
    if (isDone || error) throw new Error(`an event came after the end: ${event}`);
    if (!event.startsWith("data: ") || event.includes("\n")) throw new Error(`not one data line: ${event}`);
    const data = event.slice("data: ".length);
    if (data === "[DONE]") isDone = true;
    else if (data.startsWith('{"error"')) error = ErrorBody.parse(JSON.parse(data)).error;
    else chunks.push(ChatCompletionChunk.parse(JSON.parse(data)));
  }
  return { chunks, isDone, error };
}

/** A promise and the function that keeps it. */
export function deferred<T = void>() {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((keep) => (resolve = keep));
  return { promise, resolve };
}

/** Resolves when the condition holds; the test's own time limit is the only one. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** An HTTP server of the test's own on a loopback address. */
export async function localServer(listener: RequestListener, host = "127.0.0.1") {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://${host}:${port}`,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Text for ever. */
export function* endlessText(delta = "word "): Generator<string> {
  for (;;) yield delta;
}

/** Whether a process of this id is there. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
