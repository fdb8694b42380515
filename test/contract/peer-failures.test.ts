import OpenAI from "openai";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chatEvents } from "../../src/engine/chat-events.js";
import { ProcessEngine } from "../../src/engine/host/process-engine.js";
import { serve, type RunningServer } from "../../src/server/start.js";
import { splitsOf } from "./support.js";
import { endlessText, ENGINE_PROGRAM, PNG, PNG_URI, scriptedApp, until } from "../server/support.js";
import type { ChatRequest, InferenceEvent } from "../../src/engine/inference.js";
import { ScriptedEngine } from "../../src/engine/scripted-engine.js";
import { hermes } from "../../src/engine/tools/hermes.js";

/** What other local servers have got wrong, one test each. */

const picture = { type: "image_url", image_url: { url: PNG_URI } };
const image = { type: "image", image: PNG };

describe("what reaches the model", () => {
  it("pictures stay in the turn they came in, and do not all land in the last one", async () => {
    await using server = await scriptedApp(["ok"]);
    await server.answer({ messages: [{ role: "user", content: [picture, { type: "text", text: "one" }] }, { role: "assistant", content: "seen" }, { role: "user", content: [{ type: "text", text: "two" }, picture] }, { role: "assistant", content: "too" }, { role: "user", content: "three" }] });
    expect(server.engine.requests[0]?.messages).toEqual([
      { role: "user", content: [image, { type: "text", text: "one" }] },
      { role: "assistant", content: "seen", toolCalls: undefined },
      { role: "user", content: [{ type: "text", text: "two" }, image] },
      { role: "assistant", content: "too", toolCalls: undefined },
      { role: "user", content: "three" },
    ]);
  });

  it("pictures of tool messages are there, once", async () => {
    await using server = await scriptedApp(["ok"]);
    const call = { id: "c", type: "function", function: { name: "look", arguments: "{}" } };
    await server.answer({ messages: [{ role: "user", content: "look" }, { role: "assistant", content: null, tool_calls: [call] }, { role: "tool", tool_call_id: "c", content: [{ type: "text", text: "here" }, picture] }] });
    const { messages = [] } = server.engine.requests[0] ?? {};
    expect(messages[2]?.content).toEqual([{ type: "text", text: "here" }, image]);
    expect(JSON.stringify(messages).match(/"type":"image"/g)).toHaveLength(1);
  });
});

it("an answer that is not streamed is cancelled when its client leaves, by every way of asking", async () => {
  const engine = new ScriptedEngine(() => ({ text: endlessText() }));
  await using server = await serve({ engine, port: 0 });
  const asks: [string, object][] = [
    ["/v1/chat/completions", { messages: [{ role: "user", content: "x" }] }],
    ["/v1/completions", { prompt: "x", max_tokens: 1e9 }],
    ["/v1/messages", { max_tokens: 1e9, messages: [{ role: "user", content: "x" }] }],
    ["/v1/responses", { input: "x" }],
  ];
  for (const [path, body] of asks) {
    const controller = new AbortController();
    const answer = fetch(`${server.url}${path}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body), signal: controller.signal }).catch(() => "left");
    await until(() => engine.running === 1);
    controller.abort();
    expect(await answer).toBe("left");
    await until(() => engine.running === 0);
    const { steps } = engine;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(engine.steps).toBe(steps);
  }
  expect(engine.outcomes).toEqual(asks.map(() => "cancelled"));
});

/** A model's own text, in pieces, read by the parser that reads real models. */
class WritingEngine extends ScriptedEngine {
  pieces: string[] = [];

  override async *generate(request: ChatRequest): AsyncGenerator<InferenceEvent, void, undefined> {
    const { pieces } = this;
    const deltas = async function* () {
      for (const text of pieces) yield { text, reasoning: "", tokenIds: [] };
    };
    const { toolCalls } = yield* chatEvents(deltas(), hermes.createParser({ tools: request.tools, newId: () => "call_1" }));
    yield { type: "finish", finishReason: "tool_calls", toolCalls, usage: { promptTokens: 1, completionTokens: 1, cachedTokens: 0 }, timings: { processMs: 0, prefillMs: 0, decodeMs: 0 } };
  }
}

it("calls do not leak into the text while it streams, wherever it is cut", async () => {
  const engine = new WritingEngine([]);
  await using server = await serve({ engine, port: 0 });
  const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none", maxRetries: 0 });
  const request = { model: "scripted", messages: [{ role: "user" as const, content: "x" }], tools: [{ type: "function" as const, function: { name: "weather", parameters: { type: "object" } } }] };
  for (engine.pieces of splitsOf('I look.<tool_call>\n{"name": "weather", "arguments": {"city": "Oslo"}}\n</tool_call>')) {
    let text = "";
    const stream = client.chat.completions.stream(request).on("content", (delta) => (text += delta));
    const message = (await stream.finalChatCompletion()).choices[0]?.message;
    expect(text.trim()).toBe("I look.");
    expect(message?.tool_calls).toMatchObject([{ id: "call_1", function: { name: "weather", arguments: '{"city": "Oslo"}' } }]);
  }
});

describe("the embedded model", () => {
  let engine: ProcessEngine;
  let server: RunningServer;
  let client: OpenAI;
  beforeAll(async () => {
    engine = new ProcessEngine("tiny", { program: ENGINE_PROGRAM });
    server = await serve({ engine, port: 0 });
    client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none", maxRetries: 0 });
  });
  afterAll(() => server.close());

  async function screen(background: string, width = 640, height = 480): Promise<OpenAI.ChatCompletionMessageParam[]> {
    const png = await sharp({ create: { width, height, channels: 3, background } }).png().toBuffer();
    const url = `data:image/png;base64,${png.toString("base64")}`;
    return [{ role: "user", content: [{ type: "image_url", image_url: { url } }, { type: "text", text: "Task: press OK\nPrevious actions: none" }] }];
  }
  const textOf = async (request: Omit<OpenAI.ChatCompletionCreateParamsNonStreaming, "model">) => (await client.chat.completions.create({ model: "tiny", max_tokens: 12, temperature: 0, ...request })).choices[0]?.message.content;

  it("does not serve a screenshot of the same size from what it read of another one", async () => {
    const [first, other] = [await screen("#3355aa"), await screen("#eeeeee")];
    const before = await client.chat.completions.create({ model: "tiny", max_tokens: 4, temperature: 0, messages: first });
    const second = await client.chat.completions.create({ model: "tiny", max_tokens: 4, temperature: 0, messages: other });
    const again = await client.chat.completions.create({ model: "tiny", max_tokens: 4, temperature: 0, messages: first });
    const cached = (answer: OpenAI.ChatCompletion) => answer.usage?.prompt_tokens_details?.cached_tokens ?? 0;
    // Only what stands before the picture is shared.
    expect(cached(second)).toBeLessThan(32);
    expect(again.choices[0]?.message.content).toBe(before.choices[0]?.message.content);
  });

  it("samples each request of a batch as that request asks, and keeps the places of its own picture", async () => {
    const requests = [
      { messages: await screen("#3355aa"), temperature: 1, seed: 1, max_tokens: 12 },
      { messages: await screen("#eeeeee", 320, 480), temperature: 1, seed: 2, max_tokens: 9 },
      { messages: await screen("#aa2222", 640, 320), temperature: 0, max_tokens: 5 },
      { messages: [{ role: "user" as const, content: "Task: press OK\nPrevious actions: none" }], temperature: 1.5, seed: 3, top_p: 0.9, max_tokens: 7 },
    ];
    const alone: unknown[] = [];
    for (const request of requests) alone.push(await textOf(request));
    expect(await Promise.all(requests.map(textOf))).toEqual(alone);
  });

  it("goes on from a prompt as it is, and tells its tokens", async () => {
    const post = async (path: string, body: object) => (await (await fetch(`${server.url}${path}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) })).json()) as Record<string, unknown>;
    const prompt = "Task: press OK";
    const tokens = (await post("/tokenize", { prompt }))["tokens"] as number[];
    expect(await post("/detokenize", { tokens })).toMatchObject({ prompt });
    const request = { model: "tiny", max_tokens: 6, temperature: 0, stream: false } as const;
    const byText = await client.completions.create({ ...request, prompt });
    const byTokens = await client.completions.create({ ...request, prompt: tokens });
    expect(byText.choices[0]?.text).toBe(byTokens.choices[0]?.text);
    expect(byText.usage?.prompt_tokens).toBe(tokens.length);
    expect(await client.completions.create({ ...request, prompt: [1e9] }).catch((error: unknown) => error)).toMatchObject({ status: 400, param: "prompt" });
    const count = await post("/v1/messages/count_tokens", { messages: [{ role: "user", content: "Task: press OK" }] });
    const answered = await client.chat.completions.create({ ...request, messages: [{ role: "user", content: "Task: press OK" }] });
    expect(count).toEqual({ input_tokens: answered.usage?.prompt_tokens });
  });

  it("says which stop sequence ended an answer", async () => {
    const messages = [{ role: "user", content: "Task: press OK\nPrevious actions: none" }];
    const post = async (more: object) => (await (await fetch(`${server.url}/v1/messages`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ messages, temperature: 0, max_tokens: 24, ...more }) })).json()) as { content: { text: string }[] };
    const whole = (await post({})).content.map(({ text }) => text).join("");
    const stop = whole.slice(6, 9);
    expect(stop).toHaveLength(3);
    const cut = await post({ stop_sequences: ["never said", stop] });
    expect(cut).toMatchObject({ stop_reason: "stop_sequence", stop_sequence: stop });
    expect(cut.content.map(({ text }) => text).join("")).toBe(whole.slice(0, whole.indexOf(stop)));
  });

  it("is not a dead worker behind a live port: readiness says so, and it comes back", async () => {
    const status = async () => (await fetch(`${server.url}/ready`)).status;
    expect(await status()).toBe(200);
    const { pid } = engine;
    if (pid === undefined) throw new Error("the engine's process is not there");
    process.kill(pid, "SIGKILL");
    while ((await status()) === 200);
    expect(await status()).toBe(503);
    while ((await status()) !== 200);
    expect(engine.pid).not.toBe(pid);
    expect(await textOf({ messages: await screen("#eeeeee"), max_tokens: 2 })).toEqual(expect.any(String));
  });
});
