import Anthropic, { APIError, BadRequestError, InternalServerError, NotFoundError } from "@anthropic-ai/sdk";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { DeskhandError } from "../../src/core/errors.js";
import { ScriptedEngine, type ScriptedReply } from "../../src/engine/scripted-engine.js";
import { MessageEvent, Message } from "../../src/server/schemas/messages-answer.js";
import { serve, type RunningServer } from "../../src/server/start.js";
import { endlessText, localServer, PNG, until } from "../server/support.js";
import { HARD, repliesOf } from "./support.js";

/** Anthropic's own client over a real socket; each test says what the engine replies. */
let server: RunningServer;
let client: Anthropic;
let engine: ScriptedEngine;
let reply: string | ScriptedReply;

beforeAll(async () => {
  engine = new ScriptedEngine(() => reply);
  server = await serve({ engine, port: 0, apiKey: "the-key", allowPrivateUrls: true });
  client = new Anthropic({ baseURL: server.url, apiKey: "the-key", maxRetries: 0 });
});
afterAll(() => server.close());
beforeEach(() => {
  engine.requests.length = 0;
  engine.outcomes.length = 0;
});

const ask = { model: "scripted", max_tokens: 100, messages: [{ role: "user" as const, content: "hello" }] };
const tools: Anthropic.Tool[] = [{ name: "weather", description: "Weather of a city", input_schema: { type: "object", properties: { city: { type: "string" } } } }];
const picture: Anthropic.ImageBlockParam = { type: "image", source: { type: "base64", media_type: "image/png", data: PNG.toString("base64") } };

describe("answers", () => {
  it("whole, with usage that tells cached tokens apart", async () => {
    reply = { text: ["Hello", " there"], usage: { promptTokens: 12, cachedTokens: 8 } };
    const message = await client.messages.create(ask);
    expect(message).toMatchObject({ type: "message", role: "assistant", model: "scripted", content: [{ type: "text", text: "Hello there" }], stop_reason: "end_turn", stop_sequence: null });
    expect(message.usage).toMatchObject({ input_tokens: 4, cache_read_input_tokens: 8, cache_creation_input_tokens: 0, output_tokens: 2 });
    expect(message._request_id).toMatch(/^req_/);
  });

  it("joined by the client from the stream into the whole answer, for every way to cut it", async () => {
    const replies = repliesOf(HARD);
    for (reply of replies) {
      const whole = await client.messages.create({ ...ask, tools });
      const streamed = await client.messages.stream({ ...ask, tools }).finalMessage();
      for (const field of ["content", "model", "role", "stop_reason", "stop_sequence", "type"] as const) expect(streamed[field]).toEqual(whole[field]);
      expect(streamed.usage).toMatchObject(whole.usage);
      expect(whole.content).toEqual([
        { type: "thinking", thinking: HARD.reasoning, signature: "" },
        { type: "text", text: HARD.text, citations: null },
        { type: "tool_use", id: "call_a", name: "weather", input: { city: "Zürich 😀", days: [1, 2] } },
        { type: "tool_use", id: "call_b", name: "look", input: {} },
      ]);
      expect(whole.stop_reason).toBe("tool_use");
    }
    expect(replies.length).toBeGreaterThan(60);
  });

  it("say why they ended", async () => {
    reply = { text: ["a", "b", "c"] };
    expect((await client.messages.create({ ...ask, max_tokens: 2 })).stop_reason).toBe("max_tokens");
    reply = { text: "a", stopString: "END" };
    expect(await client.messages.create({ ...ask, stop_sequences: ["END"] })).toMatchObject({ stop_reason: "stop_sequence", stop_sequence: "END" });
    expect(engine.requests.at(-1)?.stop).toEqual(["END"]);
  });

  it("a tool round trip, run by the client's own tool runner", async () => {
    const rounds: ScriptedReply[] = [{ toolCalls: [{ id: "toolu_7", name: "weather", arguments: '{"city":"Oslo"}' }] }, { text: "It rains in Oslo." }];
    let round = 0;
    reply = rounds[0] ?? "";
    const runner = client.beta.messages.toolRunner({
      ...ask,
      tools: [
        {
          type: "custom",
          name: "weather",
          description: "Weather of a city",
          input_schema: { type: "object", properties: { city: { type: "string" } } },
          parse: (input) => input as { city: string },
          run: ({ city }: { city: string }) => {
            reply = rounds[++round] ?? "";
            return [{ type: "text", text: `rain in ${city}` }, picture];
          },
        },
      ],
    });
    const final = await runner.runUntilDone();
    expect(final.content).toMatchObject([{ type: "text", text: "It rains in Oslo." }]);
    expect(engine.requests[1]?.messages.slice(1)).toEqual([
      { role: "assistant", content: "", toolCalls: [{ id: "toolu_7", name: "weather", arguments: '{"city":"Oslo"}' }] },
      { role: "tool", toolCallId: "toolu_7", content: [{ type: "text", text: "rain in Oslo" }, { type: "image", image: PNG }] },
    ]);
  });

  it("the tokens of a conversation", async () => {
    const { input_tokens } = await client.messages.countTokens({ model: "scripted", system: "abc", messages: [{ role: "user", content: [picture, { type: "text", text: "de" }] }] });
    expect(input_tokens).toBe(6);
  });
});

describe("what reaches the engine", () => {
  it("says whether the model shall think, where the client does", async () => {
    reply = "ok";
    for (const thinking of [{ type: "disabled" as const }, { type: "enabled" as const, budget_tokens: 1024 }, undefined]) await client.messages.create({ ...ask, max_tokens: 2000, thinking });
    expect(engine.requests.map(({ templateVariables }) => templateVariables?.["enable_thinking"])).toEqual([false, true, undefined]);
  });

  it("keeps every block in its place, pictures of tool results too, from data and from the web", async () => {
    await using site = await localServer((_request, response) => void response.setHeader("content-type", "image/png").end(PNG));
    reply = "ok";
    await client.messages.create({
      ...ask,
      system: [{ type: "text", text: "Be brief.", cache_control: { type: "ephemeral" } }, { type: "text", text: "Be kind." }],
      // Older clients, and other ones.
      ...({ temperature: 0.5, top_k: 3 } as object),
      messages: [
        { role: "user", content: [{ type: "text", text: "one" }, picture, { type: "text", text: "two" }, { type: "image", source: { type: "url", url: `${site.url}/a.png` } }] },
        { role: "assistant", content: [{ type: "thinking", thinking: "hm", signature: "" }, { type: "text", text: "I look." }, { type: "tool_use", id: "t1", name: "look", input: { x: 1 } }, { type: "tool_use", id: "t2", name: "look", input: {} }] },
        {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: "t1", content: [picture, { type: "text", text: "seen" }] },
            { type: "tool_result", tool_use_id: "t2", content: "nothing there", is_error: true },
            { type: "text", text: "Go on." },
          ],
        },
      ],
    });
    const image = { type: "image", image: PNG };
    const [request] = engine.requests;
    expect(request).toMatchObject({ maxTokens: 100, temperature: 0.5, topK: 3 });
    expect(request?.messages).toEqual([
      { role: "system", content: "Be brief.\n\nBe kind." },
      { role: "user", content: [{ type: "text", text: "one" }, image, { type: "text", text: "two" }, image] },
      { role: "assistant", content: "I look.", toolCalls: [{ id: "t1", name: "look", arguments: '{"x":1}' }, { id: "t2", name: "look", arguments: "{}" }] },
      { role: "tool", toolCallId: "t1", content: [image, { type: "text", text: "seen" }] },
      { role: "tool", toolCallId: "t2", content: [{ type: "text", text: "Error: " }, { type: "text", text: "nothing there" }] },
      { role: "user", content: "Go on." },
    ]);
  });

  it("tools, and the choice of none", async () => {
    reply = "ok";
    await client.messages.create({ ...ask, tools, tool_choice: { type: "none" } });
    expect(engine.requests[0]).toMatchObject({ tools: [{ name: "weather", description: "Weather of a city", parameters: tools[0]?.input_schema }], toolChoice: "none" });
  });
});

describe("errors are in Anthropic's form", () => {
  const failure = (request: object) => client.messages.create({ ...ask, ...request } as never).catch((error: unknown) => error);

  it.each([
    ["no max_tokens", { max_tokens: undefined }, /max_tokens/],
    ["a wrong block", { messages: [{ role: "user", content: [{ type: "document", source: {} }] }] }, /messages\[0\]\.content\[0\].*"text", "image" or "tool_result"/],
    ["a tool that servers run", { tools: [{ type: "web_search_20250305", name: "web_search" }] }, /tools\[0\]/],
    ["a picture that is none", { messages: [{ role: "user", content: [{ ...picture, source: { ...picture.source, data: "***" } }] }] }, /messages\.0\.content\.0\.source/],
    ["the beginning of an answer", { messages: [...ask.messages, { role: "assistant", content: "Once" }] }, /last message/],
  ])("%s", async (_name, request, message) => {
    const error = await failure(request);
    expect(error).toBeInstanceOf(BadRequestError);
    expect((error as APIError).error).toMatchObject({ type: "error", error: { type: "invalid_request_error", message: expect.stringMatching(message) as string } });
    expect(engine.requests).toHaveLength(0);
  });

  it("unknown models and paths, wrong keys, too long a context, a broken engine", async () => {
    expect(await failure({ model: "other" })).toBeInstanceOf(NotFoundError);
    const raw = async (path: string, init: RequestInit = {}) => (await fetch(`${server.url}${path}`, { headers: { "x-api-key": "the-key" }, ...init })).json();
    expect(await raw("/v1/messages/batches")).toMatchObject({ type: "error", error: { type: "not_found_error" } });
    expect(await raw("/v1/messages", { headers: {} })).toMatchObject({ type: "error", error: { type: "authentication_error" } });
    expect(await raw("/v1/messages")).toMatchObject({ type: "error", error: { type: "invalid_request_error", message: expect.stringContaining("POST") as string } });
    reply = { error: new DeskhandError("context_length_exceeded", "too long") };
    expect(await failure({ stream: true })).toBeInstanceOf(BadRequestError);
    reply = { error: new Error("broken") };
    expect(await failure({})).toBeInstanceOf(InternalServerError);
  });

  it("on the way of a stream, after the text so far; then the stream ends", async () => {
    reply = { text: ["a", "b"], error: new Error("broken"), failAtStep: 2 };
    const response = await fetch(`${server.url}/v1/messages`, { method: "POST", headers: { "content-type": "application/json", "x-api-key": "the-key" }, body: JSON.stringify({ ...ask, stream: true }) });
    const events = (await response.text()).trim().split("\n\n");
    expect(events.at(-1)).toMatch(/^event: error\ndata: \{"type":"error","error":\{"type":"api_error"/);
    let text = "";
    const read = async () => {
      for await (const event of client.messages.stream(ask)) if (event.type === "content_block_delta" && event.delta.type === "text_delta") text += event.delta.text;
    };
    expect(await read().catch((error: unknown) => error)).toBeInstanceOf(APIError);
    expect(text).toBe("ab");
  });
});

it("leaving a stream cancels the engine", async () => {
  reply = { text: endlessText() };
  for await (const event of await client.messages.create({ ...ask, max_tokens: 1e9, stream: true })) if (event.type === "content_block_delta") break;
  await until(() => engine.outcomes.length === 1);
  expect(engine.outcomes).toEqual(["cancelled"]);
});

it("every event is of the described kind", async () => {
  reply = { ...HARD, toolCalls: HARD.calls };
  for await (const event of await client.messages.create({ ...ask, stream: true })) MessageEvent.parse(event);
  const { _request_id, ...message } = await client.messages.create(ask);
  Message.parse(message);
});
