import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import OpenAI from "openai";
import { beforeAll, describe, expect, it } from "vitest";
import { ProcessEngine } from "../../src/engine/host/process-engine.js";
import { ScriptedEngine, type Script } from "../../src/engine/scripted-engine.js";
import { serve } from "../../src/server/start.js";
import { pictureUrl } from "../../src/tools/picture-url.js";
import { FORMATS, type FormatName } from "../../src/tools/weather-formats.js";
import { weatherRoundTrip } from "../../src/tools/weather-round-trip.js";
import { deferred, endlessText, ENGINE_PROGRAM, localServer, PNG, PNG_URI, until } from "./support.js";

/** The commands that ask a running server, in processes of their own, as a user runs them. */
const BIN = fileURLToPath(new URL("../../bin/deskhand.js", import.meta.url));

// Whatever the checkout still has to build is built, and said, here.
beforeAll(() => start(["--version"]).ended);

function start(args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [BIN, ...args], { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  const seen = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (seen.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (seen.stderr += text));
  return { child, seen, ended: once(child, "close").then(([code]) => ({ ...seen, code: code as number | null })) };
}

async function scriptedServer(script: Script) {
  const engine = new ScriptedEngine(script);
  const server = await serve({ engine, port: 0 });
  return { engine, url: server.url, [Symbol.asyncDispose]: () => server.close() };
}

const WEATHER = { name: "get_weather", arguments: '{"city": "Paris"}' };

describe("stream-client", () => {
  const ask = (url: string, ...more: string[]) => start(["stream-client", "--server", url, "--model", "scripted", "--prompt", "What is this?", ...more]);

  it("prints words while the model still speaks, nothing else to stdout, and what it cost to stderr", async () => {
    const go = deferred();
    const words = ["one ", "two ", "three"];
    await using server = await scriptedServer([{ text: words, usage: { promptTokens: 40, completionTokens: 3, cachedTokens: 8 }, beforeStep: (step) => (step === 1 ? go.promise : undefined) }]);
    const { seen, ended } = ask(server.url, "--verbose");
    await until(() => seen.stdout === "one ");
    expect(server.engine.outcomes).toEqual([]);
    go.resolve();
    expect(await ended).toMatchObject({ code: 0, stdout: "one two three\n", stderr: expect.stringMatching(/^prompt: +40 tokens, 8 of them from the cache\nanswer: +3 tokens, ended by stop\nfirst token: +\d+ ms\nspeed: +[\d.]+ tokens\/s\ntotal: +\d+ ms\n$/) as string });
  });

  it("sends files as they are, addresses for the server to fetch, in their order before the prompt, greedily and with at most 256 tokens", async () => {
    const folder = await mkdtemp(join(tmpdir(), "deskhand-pictures-"));
    const file = join(folder, "cat.png");
    await writeFile(file, PNG);
    await using server = await scriptedServer(["A cat."]);
    const { ended } = ask(server.url, "--image", file, "--image", PNG_URI);
    expect(await ended).toMatchObject({ code: 0, stdout: "A cat.\n", stderr: "" });
    await rm(folder, { recursive: true });
    const [request] = server.engine.requests;
    expect(request).toMatchObject({ temperature: 0, maxTokens: 256 });
    const content = request?.messages[0]?.content as { type: string; image?: Uint8Array; text?: string }[];
    expect(content.map(({ type }) => type)).toEqual(["image", "image", "text"]);
    expect([content[0]?.image, content[1]?.image].map((bytes) => Buffer.from(bytes!))).toEqual([PNG, PNG]);
    expect(content[2]?.text).toBe("What is this?");
  });

  it("asks for mistral3 unless told otherwise, with the key of the environment", async () => {
    const heard: { authorization?: string; model: unknown }[] = [];
    await using server = await localServer((request, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (text: string) => (body += text));
      request.on("end", () => {
        heard.push({ authorization: request.headers.authorization, model: (JSON.parse(body) as { model: unknown }).model });
        response.writeHead(401, { "content-type": "application/json" }).end('{"error": {"message": "no such key"}}');
      });
    });
    const { code, stdout, stderr } = await start(["stream-client", "--server", server.url, "--prompt", "hi"], { OPENAI_API_KEY: "sk-wrong" }).ended;
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/status 401: no such key\. Give the key/);
    expect(stderr).not.toContain("sk-wrong");
    expect(heard).toEqual([{ authorization: "Bearer sk-wrong", model: "mistral3" }]);
  });

  it("stops the model on Ctrl-C", async () => {
    await using server = await scriptedServer([{ text: endlessText() }]);
    const { child, seen, ended } = ask(server.url, "--max-tokens", "1000000");
    await until(() => seen.stdout.includes("word"));
    child.kill("SIGINT");
    expect(await ended).toMatchObject({ code: 1, stderr: "error: Cancelled: SIGINT.\n" });
    await until(() => server.engine.outcomes.length === 1);
    expect(server.engine.outcomes).toEqual(["cancelled"]);
  });

  it("says how to start a server when none answers, and which file it cannot read", async () => {
    const holder = createServer().listen(0, "127.0.0.1");
    await once(holder, "listening");
    const { port } = holder.address() as { port: number };
    await new Promise((resolve) => holder.close(resolve));
    const refused = await ask(`http://127.0.0.1:${port}`).ended;
    expect(refused).toMatchObject({ code: 1, stdout: "", stderr: expect.stringMatching(/refused\. .*`deskhand serve`.*--server/) as string });
    await expect(pictureUrl("no-such.png")).rejects.toMatchObject({ code: "invalid_argument", message: expect.stringMatching(/"no-such\.png" cannot be read/) as string });
  });
});

describe("function-call", () => {
  it("takes the embedded model through all five steps, in both formats", async () => {
    await using server = await serve({ engine: new ProcessEngine("tiny", { program: ENGINE_PROGRAM }), port: 0 });
    const { code, stdout, stderr } = await start(["function-call", "--server", server.url]).ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const steps = ["  1. question", "  2. call", "  3. function", "  4. result", "  5. answer"];
    expect(stdout.split("\n").map((line) => line.slice(0, 14).trimEnd())).toEqual(["tools format,", ...steps, "functions form", ...steps, ""]);
    expect(stdout.match(/get_weather \{"city": "Paris"\}$/gm)).toHaveLength(2);
    expect(stdout.match(/role (tool|function)$/gm)).toEqual(["role tool", "role function"]);
    expect(stdout.match(/answer .*Paris.*17/g)).toHaveLength(2);
  });

  it("goes on with the other format, and ends with 1, when one fails", async () => {
    await using server = await scriptedServer(["It is sunny.", { toolCalls: [WEATHER] }, "17 degrees."]);
    const { code, stdout, stderr } = await start(["function-call", "--server", server.url]).ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: Step 2 failed: expected one call of get_weather .*, but received .*It is sunny\./);
    expect(stdout).toMatch(/functions format, model scripted\n[^]* 5\. answer +17 degrees\.\n$/);
  });
});

/** The five steps in this process; the requests that reached the model. */
async function trip(format: FormatName, script: Script) {
  await using server = await scriptedServer(script);
  const openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none", maxRetries: 0 });
  await weatherRoundTrip({ send: (body) => openai.chat.completions.create(body), model: "scripted", format: FORMATS[format], city: "Paris", maxTokens: 64, onStep: () => undefined });
  return server.engine.requests;
}

// The older form has room for one call only.
it("two calls at once are one too many", async () => {
  await expect(trip("tools", [{ toolCalls: [WEATHER, WEATHER] }])).rejects.toThrow(/Step 2 failed: expected one call/);
});

describe.each(["tools", "functions"] as const)("the weather round trip with %s", (format) => {
  const roundTrip = (script: Script) => trip(format, script);

  it("gives the model its own call and the function's result back", async () => {
    const [first, second] = await roundTrip([{ toolCalls: [{ ...WEATHER, id: "call_7" }] }, "17 degrees."]);
    expect(first?.tools).toMatchObject([{ name: "get_weather" }]);
    expect(second?.messages).toMatchObject([
      { role: "user", content: "What is the weather in Paris?" },
      { role: "assistant", toolCalls: [{ id: format === "tools" ? "call_7" : "call_1", ...WEATHER }] },
      { role: "tool", toolCallId: format === "tools" ? "call_7" : "call_1", content: '{"temperature":17,"unit":"C","condition":"cloudy"}' },
    ]);
  });

  it.each<[string, Script, RegExp]>([
    ["a call of something else", [{ toolCalls: [{ name: "get_time", arguments: "{}" }] }], /Step 2 failed: .*get_time/],
    ["arguments that are no JSON", [{ toolCalls: [{ ...WEATHER, arguments: "{city" }] }], /Step 2 failed: expected the arguments \{"city": "Paris"\}, but received what is not JSON: \{city/],
    ["another city", [{ toolCalls: [{ ...WEATHER, arguments: '{"city":"Rome"}' }] }], /Step 2 failed: .*received \{"city":"Rome"\}/],
    ["a call again", [{ toolCalls: [WEATHER] }, { toolCalls: [WEATHER] }], /Step 5 failed: expected an answer in words/],
    ["an answer that ignores the result", [{ toolCalls: [WEATHER] }, "No idea."], /Step 5 failed: expected an answer that tells the temperature, 17, but received "No idea\."/],
  ])("says what was expected and what came: %s", async (_name, script, message) => {
    await expect(roundTrip(script)).rejects.toMatchObject({ code: "model_output", message: expect.stringMatching(message) as string });
  });
});
