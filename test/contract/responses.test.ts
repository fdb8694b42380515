import OpenAI, { APIError, BadRequestError, NotFoundError } from "openai";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ScriptedEngine, type ScriptedReply } from "../../src/engine/scripted-engine.js";
import { ResponseEvent, ResponseObject } from "../../src/server/schemas/responses-answer.js";
import { serve, type RunningServer } from "../../src/server/start.js";
import { deferred, endlessText, PNG, PNG_URI, until } from "../server/support.js";
import { HARD, repliesOf } from "./support.js";

/** OpenAI's client for responses, over a real socket; each test says what the engine replies. */
let server: RunningServer;
let client: OpenAI;
let engine: ScriptedEngine;
let reply: string | ScriptedReply;

beforeAll(async () => {
  engine = new ScriptedEngine(() => reply);
  server = await serve({ engine, port: 0, limits: { maxStoredResponses: 4 } });
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none", maxRetries: 0 });
});
afterAll(() => server.close());
beforeEach(() => {
  engine.requests.length = 0;
  engine.outcomes.length = 0;
});

const model = "scripted";
const tools: OpenAI.Responses.FunctionTool[] = [{ type: "function", name: "weather", description: "Weather of a city", parameters: { type: "object", properties: { city: { type: "string" } } }, strict: null }];
/** Ids are new for each answer. */
const withoutIds = (output: OpenAI.Responses.ResponseOutputItem[]) => output.map((item) => ({ ...item, id: "" }));

describe("answers", () => {
  it("whole, with what was asked for and what it took", async () => {
    reply = { text: ["Hello", " there"], reasoning: "abc", usage: { promptTokens: 12, completionTokens: 5, cachedTokens: 8 } };
    const response = await client.responses.create({ model, input: "hello", instructions: "Be brief.", temperature: 0.5, metadata: { a: "b" } });
    expect(response.output_text).toBe("Hello there");
    expect(response).toMatchObject({ status: "completed", instructions: "Be brief.", temperature: 0.5, metadata: { a: "b" }, store: true, error: null, incomplete_details: null });
    expect(response.usage).toMatchObject({ input_tokens: 12, input_tokens_details: { cached_tokens: 8 }, output_tokens: 5, output_tokens_details: { reasoning_tokens: 3 }, total_tokens: 17 });
    expect(engine.requests[0]?.messages).toEqual([{ role: "system", content: "Be brief." }, { role: "user", content: "hello" }]);
    const { output_text: _text, _request_id, ...plain } = response;
    ResponseObject.parse(plain);
  });

  it("joined by the client from the stream into the whole answer, for every way to cut it", async () => {
    for (reply of repliesOf(HARD)) {
      const whole = await client.responses.create({ model, input: "hello", tools });
      const stream = client.responses.stream({ model, input: "hello", tools });
      let next = 0;
      const joined = new Map<string, string>();
      for await (const event of stream) {
        expect(event.sequence_number).toBe(next++);
        if ("delta" in event && "item_id" in event) joined.set(event.item_id, `${joined.get(event.item_id) ?? ""}${event.delta}`);
      }
      const streamed = await stream.finalResponse();
      expect(withoutIds(streamed.output)).toMatchObject(withoutIds(whole.output));
      expect([...joined.values()]).toEqual([HARD.reasoning, HARD.text, ...HARD.calls.map((call) => call.arguments)]);
      expect(streamed.usage).toEqual(whole.usage);
      expect(whole.output).toMatchObject([
        { type: "reasoning", summary: [], content: [{ type: "reasoning_text", text: HARD.reasoning }] },
        { type: "message", role: "assistant", status: "completed", content: [{ type: "output_text", text: HARD.text }] },
        { type: "function_call", call_id: "call_a", name: "weather", arguments: HARD.calls[0]?.arguments },
        { type: "function_call", call_id: "call_b", name: "look", arguments: "{}" },
      ]);
    }
  });

  it("every event is of the described kind", async () => {
    reply = { ...HARD, toolCalls: HARD.calls };
    for await (const event of await client.responses.create({ model, input: "hello", stream: true })) ResponseEvent.parse(event);
  });

  it("incomplete where the length ended them", async () => {
    reply = { text: ["a", "b", "c"] };
    const response = await client.responses.create({ model, input: "hello", max_output_tokens: 2 });
    expect(response).toMatchObject({ status: "incomplete", incomplete_details: { reason: "max_output_tokens" }, output: [{ status: "incomplete" }], output_text: "ab" });
  });
});

describe("conversations", () => {
  it("go on from a response, calls and pictures in their places", async () => {
    reply = { text: "I look.", reasoning: "hm", toolCalls: [{ id: "c1", name: "weather", arguments: '{"city":"Oslo"}' }, { id: "c2", name: "weather", arguments: "{}" }] };
    const picture: OpenAI.Responses.ResponseInputImage = { type: "input_image", image_url: PNG_URI, detail: "auto" };
    const first = await client.responses.create({ model, instructions: "Old.", input: [{ role: "user", content: [{ type: "input_text", text: "one" }, picture, { type: "input_text", text: "two" }] }], tools });
    reply = "It rains.";
    const second = await client.responses.create({
      model,
      instructions: "New.",
      previous_response_id: first.id,
      input: [
        { type: "function_call_output", call_id: "c1", output: [picture, { type: "input_text", text: "seen" }] },
        { type: "function_call_output", call_id: "c2", output: "rain" },
      ],
      tools,
    });
    const image = { type: "image", image: PNG };
    const before = [
      { role: "user", content: [{ type: "text", text: "one" }, image, { type: "text", text: "two" }] },
      { role: "assistant", content: "I look.", toolCalls: [{ id: "c1", name: "weather", arguments: '{"city":"Oslo"}' }, { id: "c2", name: "weather", arguments: "{}" }] },
      { role: "tool", toolCallId: "c1", content: [image, { type: "text", text: "seen" }] },
      { role: "tool", toolCallId: "c2", content: "rain" },
    ];
    expect(engine.requests[1]?.messages).toEqual([{ role: "system", content: "New." }, ...before]);
    // The same by sending everything again, as the client got it.
    await client.responses.create({ model, previous_response_id: second.id, input: "Thanks." });
    expect(engine.requests[2]?.messages).toEqual([...before, { role: "assistant", content: "It rains." }, { role: "user", content: "Thanks." }]);
    await client.responses.create({ model, input: [{ role: "user", content: "x" }, ...(first.output as OpenAI.Responses.ResponseInputItem[]), ...(second.output as OpenAI.Responses.ResponseInputItem[])] });
    expect(engine.requests[3]?.messages.slice(1)).toEqual([before[1], { role: "assistant", content: "It rains." }]);
  });

  it("are remembered, up to a number, unless asked not to be, and until deleted", async () => {
    reply = "ok";
    const ids: string[] = [];
    for (let n = 0; n < 5; n++) ids.push((await client.responses.create({ model, input: `${n}` })).id);
    const [oldest = "", , , last = "", newest = ""] = ids;
    expect((await client.responses.retrieve(newest)).output_text).toBe("ok");
    await expect(client.responses.retrieve(oldest)).rejects.toBeInstanceOf(NotFoundError);
    const unknown = await client.responses.create({ model, input: "x", previous_response_id: oldest }).catch((error: unknown) => error);
    expect(unknown).toBeInstanceOf(NotFoundError);
    expect(unknown).toMatchObject({ param: "previous_response_id" });
    await client.responses.delete(last);
    await expect(client.responses.retrieve(last)).rejects.toBeInstanceOf(NotFoundError);
    const { id } = await client.responses.create({ model, input: "x", store: false });
    await expect(client.responses.retrieve(id)).rejects.toBeInstanceOf(NotFoundError);
  });
});

describe("cancelling", () => {
  it("ends one that runs in the background, and the engine with it", async () => {
    reply = { text: endlessText() };
    const { id, status } = await client.responses.create({ model, input: "x", background: true });
    expect(["queued", "in_progress"]).toContain(status);
    await until(() => engine.running === 1);
    expect((await client.responses.retrieve(id)).status).toBe("in_progress");
    const cancelled = await client.responses.cancel(id);
    expect(cancelled).toMatchObject({ id, status: "cancelled", output: [{ type: "message", status: "incomplete" }] });
    expect(engine.outcomes).toEqual(["cancelled"]);
    expect((await client.responses.cancel(id)).status).toBe("cancelled");
  });

  it("leaves what ran to its end in the background as it is", async () => {
    const gate = deferred();
    reply = { text: "done", beforeStep: () => gate.promise };
    const { id } = await client.responses.create({ model, input: "x", background: true });
    gate.resolve();
    let response = await client.responses.retrieve(id);
    while (response.status !== "completed") response = await client.responses.retrieve(id);
    expect(response.output_text).toBe("done");
    expect((await client.responses.cancel(id)).status).toBe("completed");
  });

  it("ends a stream, which says so", async () => {
    reply = { text: endlessText() };
    const statuses: unknown[] = [];
    for await (const event of await client.responses.create({ model, input: "x", stream: true })) {
      if (event.type === "response.created") void client.responses.cancel(event.response.id);
      if ("response" in event) statuses.push(event.response.status);
    }
    expect(statuses).toEqual(["in_progress", "in_progress", "cancelled"]);
    expect(engine.outcomes).toEqual(["cancelled"]);
  });

  it("by leaving the stream", async () => {
    reply = { text: endlessText() };
    for await (const event of await client.responses.create({ model, input: "x", stream: true })) if (event.type === "response.output_text.delta") break;
    await until(() => engine.outcomes.length === 1);
    expect(engine.outcomes).toEqual(["cancelled"]);
  });
});

describe("errors", () => {
  it.each([
    ["no input", { input: undefined }, "input"],
    ["a tool that servers run", { tools: [{ type: "web_search" }] }, "tools[0].type"],
    ["a file", { input: [{ role: "user", content: [{ type: "input_file", file_id: "f" }] }] }, "input[0].content[0].type"],
    ["a picture by id", { input: [{ role: "user", content: [{ type: "input_image", file_id: "f" }] }] }, "input[0].content[0].image_url"],
    ["a picture that is none", { input: [{ role: "user", content: [{ type: "input_image", image_url: "data:image/png;base64,***" }] }] }, "input[0].content[0].image_url"],
    ["leaving out the middle", { truncation: "auto" }, "truncation"],
    ["a prompt kept elsewhere", { prompt: { id: "p" } }, "prompt"],
  ])("%s", async (_name, request, param) => {
    const error = await client.responses.create({ model, input: "x", ...request } as never).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(BadRequestError);
    expect(error).toMatchObject({ param });
    expect(engine.requests).toHaveLength(0);
  });

  it("on the way of a stream, after the text so far; then the stream ends", async () => {
    reply = { text: ["a", "b"], error: new Error("broken"), failAtStep: 2 };
    const events: OpenAI.Responses.ResponseStreamEvent[] = [];
    for await (const event of await client.responses.create({ model, input: "x", stream: true })) events.push(event);
    expect(events.at(-2)).toMatchObject({ type: "error", code: "internal" });
    const last = events.at(-1);
    expect(last).toMatchObject({ type: "response.failed", response: { status: "failed", output: [{ type: "message", content: [{ text: "ab" }] }] } });
    expect(await client.responses.create({ model, input: "x" }).catch((error: unknown) => error)).toBeInstanceOf(APIError);
  });
});
