import OpenAI, { APIError, BadRequestError } from "openai";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ScriptedEngine, type ScriptedReply } from "../../src/engine/scripted-engine.js";
import { Completion, CompletionChunk } from "../../src/server/schemas/completions-answer.js";
import { serve, type RunningServer } from "../../src/server/start.js";
import { endlessText, until } from "../server/support.js";
import { HARD, splitsOf } from "./support.js";

let server: RunningServer;
let client: OpenAI;
let engine: ScriptedEngine;
let reply: (index: number) => string | ScriptedReply;

beforeAll(async () => {
  engine = new ScriptedEngine((_request, index) => reply(index));
  server = await serve({ engine, port: 0 });
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none", maxRetries: 0 });
});
afterAll(() => server.close());
beforeEach(() => {
  engine.requests.length = 0;
  engine.outcomes.length = 0;
});

const model = "scripted";

it("go on from texts and from token ids, several times each", async () => {
  reply = (index) => ({ text: `answer ${index % 4}`, usage: { promptTokens: 5, completionTokens: 2, cachedTokens: 1 } });
  const completion = await client.completions.create({ model, prompt: ["one", "two"], n: 2, seed: 7, stop: ["END"], max_tokens: 9 });
  expect(completion.choices.map(({ index, text, finish_reason }) => [index, text, finish_reason])).toEqual([0, 1, 2, 3].map((index) => [index, `answer ${index}`, "stop"]));
  expect(completion.usage).toMatchObject({ prompt_tokens: 10, completion_tokens: 8, total_tokens: 18, prompt_tokens_details: { cached_tokens: 2 } });
  expect(engine.requests.map(({ prompt, seed }) => [prompt, seed])).toEqual([["one", 7], ["one", 8], ["two", 7], ["two", 8]]);
  expect(engine.requests[0]).toMatchObject({ messages: [], stop: ["END"], maxTokens: 9 });
  await client.completions.create({ model, prompt: [72, 105] });
  expect(engine.requests[4]).toMatchObject({ prompt: [72, 105], maxTokens: 16 });
  const echoed = await client.completions.create({ model, prompt: [[72, 105]], echo: true });
  expect(echoed.choices[0]?.text).toBe("Hianswer 1");
  const { _request_id, ...plain } = echoed;
  Completion.parse(plain);
});

it("streams that join to the whole answer, for every way to cut it", async () => {
  const splits = splitsOf(HARD.text);
  for (const pieces of splits) {
    reply = () => ({ text: pieces });
    const request = { model, prompt: ["a", "b"], echo: true, max_tokens: 100 };
    const whole = await client.completions.create(request);
    const texts = ["", ""];
    let usage: unknown;
    for await (const chunk of await client.completions.create({ ...request, stream: true, stream_options: { include_usage: true } })) {
      CompletionChunk.parse(chunk);
      for (const { index, text } of chunk.choices) texts[index] += text;
      if (chunk.usage) usage = chunk.usage;
    }
    expect(texts).toEqual(whole.choices.map(({ text }) => text));
    expect(texts).toEqual([`a${HARD.text}`, `b${HARD.text}`]);
    expect(usage).toEqual(whole.usage);
  }
});

it.each([
  ["no prompt", { prompt: undefined }, "prompt"],
  ["a token below 0", { prompt: [-1] }, "prompt[0]"],
  ["too many", { n: 100, prompt: ["a", "b"] }, "n"],
  ["filling in", { suffix: "end" }, "suffix"],
  ["logprobs of the prompt", { echo: true, logprobs: 1 }, "logprobs"],
])("%s is refused", async (_name, request, param) => {
  const error = await client.completions.create({ model, prompt: "x", ...request } as never).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(BadRequestError);
  expect(error).toMatchObject({ param });
  expect(engine.requests).toHaveLength(0);
});

it("a failure on the way reaches the reader; leaving cancels the engine", async () => {
  reply = () => ({ text: ["a"], error: new Error("broken"), failAtStep: 1 });
  const read = async () => {
    for await (const _chunk of await client.completions.create({ model, prompt: "x", stream: true }));
  };
  expect(await read().catch((error: unknown) => error)).toBeInstanceOf(APIError);
  reply = () => ({ text: endlessText() });
  for await (const chunk of await client.completions.create({ model, prompt: ["x", "y"], max_tokens: 1e9, stream: true })) if (chunk.choices[0]?.text) break;
  await until(() => engine.outcomes.length === 2);
  expect(engine.outcomes).toEqual(["failed", "cancelled"]);
});

describe("/tokenize and /detokenize", () => {
  const post = async (path: string, body: object) => (await fetch(`${server.url}${path}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) })).json();

  it("as vLLM's and llama.cpp's clients call them", async () => {
    expect(await post("/tokenize", { model, prompt: "Hi" })).toEqual({ tokens: [72, 105], count: 2, max_model_len: 32_768 });
    expect(await post("/tokenize", { content: "Hi", with_pieces: true })).toMatchObject({ tokens: [{ id: 72, piece: "H" }, { id: 105, piece: "i" }] });
    expect(await post("/detokenize", { tokens: [72, 105] })).toEqual({ prompt: "Hi", content: "Hi" });
    expect(await post("/tokenize", {})).toMatchObject({ error: { type: "invalid_request_error", param: "prompt" } });
  });
});
