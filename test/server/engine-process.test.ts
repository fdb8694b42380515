import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import OpenAI, { APIError } from "openai";
import { afterEach, describe, expect, it } from "vitest";
import { EventQueue } from "../../src/engine/host/event-queue.js";
import { ProcessEngine } from "../../src/engine/host/process-engine.js";
import { serve } from "../../src/server/start.js";
import { ENGINE_PROGRAM, isAlive } from "./support.js";

const HELLO = [{ role: "user" as const, content: "Task: press OK\nPrevious actions: none" }];
const STREAMS = 16;
/** A random model: its greedy answers go on until the context is full. */
const ENDLESS = fileURLToPath(new URL("../golden/fixtures/qwen3/model", import.meta.url));

const engines: ProcessEngine[] = [];
function engineFor(model: string, program = ENGINE_PROGRAM): ProcessEngine {
  const engine = new ProcessEngine(model, { program });
  engines.push(engine);
  return engine;
}
afterEach(async () => void (await Promise.all(engines.splice(0).map((engine) => engine.stop()))));

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(20);
}

describe("a server whose engine is killed", () => {
  it("lives, ends every running stream with an error event, tells the truth at /ready throughout, and answers again", async () => {
    const engine = engineFor(ENDLESS);
    await using server = await serve({ engine, port: 0, limits: { maxConcurrent: STREAMS } });
    const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none", maxRetries: 0 });
    const ready = async (): Promise<number> => (await fetch(`${server.url}/ready`)).status;
    const ask = (maxTokens: number) => client.chat.completions.create({ model: server.modelId, messages: HELLO, max_tokens: maxTokens, stream: true, temperature: 0 });
    const before = engine.pid!;
    expect(await ready()).toBe(200);
    let begun = 0;
    const read = async (): Promise<unknown> => {
      let text = "";
      try {
        for await (const chunk of await ask(100_000)) {
          const { content } = chunk.choices[0]?.delta ?? {};
          // In the midst of all of them.
          if (content && text === "" && ++begun === STREAMS) process.kill(before, "SIGKILL");
          text += content ?? "";
        }
        return "ended as if whole";
      } catch (error) {
        return { error, text };
      }
    };
    const ends = await Promise.all(Array.from({ length: STREAMS }, read));
    // The streams have been told, so the server knows: from here until the new process answers it is not ready.
    const told: number[] = [await ready()];
    expect(begun).toBe(STREAMS);
    for (const end of ends) {
      expect(end).toMatchObject({ error: { code: "engine_unavailable" }, text: expect.stringMatching(/./s) as string });
      expect((end as { error: unknown }).error).toBeInstanceOf(APIError);
    }
    expect(isAlive(before)).toBe(false);
    while (told.at(-1) !== 200) told.push(await ready());
    expect(new Set(told.slice(0, -1))).toEqual(new Set([503]));
    expect(isAlive(engine.pid!)).toBe(true);
    expect(engine.pid).not.toBe(before);
    let text = "";
    for await (const chunk of await ask(8)) text += chunk.choices[0]?.delta.content ?? "";
    expect(text).not.toBe("");
    expect(await ready()).toBe(200);
    expect(await (await fetch(`${server.url}/health`)).json()).toMatchObject({ status: "ok", requests: 0 });
  });

  it("is not ready while a new one is being started", async () => {
    const engine = engineFor("tiny");
    await using server = await serve({ engine, port: 0 });
    process.kill(engine.pid!, "SIGKILL");
    await until(async () => (await fetch(`${server.url}/ready`)).status === 503);
    const { status } = (await (await fetch(`${server.url}/health`)).json()) as { status: string };
    expect(status).toBe("loading");
    await until(async () => (await fetch(`${server.url}/ready`)).status === 200);
  });
});

describe("the engine's process", () => {
  it("is gone after stop, and does not come back", async () => {
    const engine = engineFor("tiny");
    await engine.start();
    const pid = engine.pid!;
    await engine.stop();
    expect(isAlive(pid)).toBe(false);
    expect(() => engine.generate({ messages: [{ role: "user", content: "x" }] })).toThrow(/is not running/);
  });

  it("is gone when loading is cancelled", async () => {
    const engine = engineFor("tiny");
    const starting = engine.start({ signal: AbortSignal.timeout(30) });
    await expect(starting).rejects.toMatchObject({ code: "cancelled" });
    expect(engine.pid).toBeUndefined();
  });

  it("tells why a model does not load, as loading here does", async () => {
    await expect(engineFor("/nowhere/at/all").start()).rejects.toMatchObject({ code: "model_not_found", message: expect.stringContaining("/nowhere/at/all") as string });
  });

  it("is an error when its program cannot run", async () => {
    await expect(engineFor("tiny", new URL("./missing.js", ENGINE_PROGRAM)).start()).rejects.toMatchObject({ code: "engine_unavailable", message: expect.stringContaining("exit code 1") as string });
  });

  it("cancels a generation that is aborted or left, and goes on with the next", async () => {
    const engine = engineFor(ENDLESS);
    await engine.start();
    const controller = new AbortController();
    const aborted = (async () => {
      for await (const event of engine.generate({ messages: HELLO, maxTokens: 100_000, temperature: 0 }, { signal: controller.signal })) {
        if (event.type === "text") controller.abort();
      }
    })();
    await expect(aborted).rejects.toMatchObject({ code: "cancelled" });
    for await (const event of engine.generate({ messages: HELLO, maxTokens: 100_000, temperature: 0 })) if (event.type === "text") break;
    const types: string[] = [];
    for await (const event of engine.generate({ messages: HELLO, maxTokens: 4, temperature: 0 })) types.push(event.type);
    expect(types.at(-1)).toBe("finish");
  });

  it("ends with the process that started it, also when that is killed", async () => {
    const code = `
      const { ProcessEngine } = await import(${JSON.stringify(new URL("./process-engine.js", ENGINE_PROGRAM).href)});
      const engine = new ProcessEngine("tiny");
      await engine.start();
      console.log(engine.pid);
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = (await once(parent.stdout, "data")) as [Buffer];
    const pid = Number(line.toString());
    expect(isAlive(pid)).toBe(true);
    parent.kill("SIGKILL");
    await until(() => !isAlive(pid));
  });
});

describe("events between processes", () => {
  it("come in order, the error last, and the end is told once", async () => {
    const told: string[] = [];
    const queue = new EventQueue<number>({ onEnd: () => told.push("end"), onLeave: () => told.push("leave") });
    queue.push(1);
    queue.push(2);
    queue.end(new Error("lost"));
    queue.end();
    queue.push(3);
    const seen: number[] = [];
    await expect((async () => { for await (const event of queue) seen.push(event); })()).rejects.toThrow("lost");
    expect(seen).toEqual([1, 2]);
    expect(told).toEqual(["end"]);
  });

  it("are left by a reader who stops", async () => {
    const told: string[] = [];
    const queue = new EventQueue<number>({ onEnd: () => told.push("end"), onLeave: () => told.push("leave") });
    queue.push(1);
    for await (const event of queue) if (event === 1) break;
    expect(told).toEqual(["leave", "end"]);
    expect(await queue.next()).toEqual({ done: true, value: undefined });
  });
});
