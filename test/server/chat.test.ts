import { describe, expect, it } from "vitest";
import type { ChatRequest } from "../../src/engine/inference.js";
import { HELLO, PNG, PNG_URI, scriptedApp } from "./support.js";

const WEATHER = { type: "function", function: { name: "weather", description: "Weather of a city", parameters: { type: "object", properties: { city: { type: "string" } } } } };

describe("the whole answer", () => {
  it("has text, finish reason, usage and timings", async () => {
    await using server = await scriptedApp([
      { text: ["Hello", " you"], usage: { promptTokens: 12, completionTokens: 2, cachedTokens: 8 }, timings: { processMs: 1.5, prefillMs: 20, decodeMs: 7 } },
    ]);
    const answer = await server.answer(HELLO);
    expect(answer).toMatchObject({
      object: "chat.completion",
      model: "scripted",
      choices: [{ index: 0, message: { role: "assistant", content: "Hello you" }, finish_reason: "stop" }],
      usage: { prompt_tokens: 12, completion_tokens: 2, total_tokens: 14, prompt_tokens_details: { cached_tokens: 8 } },
      timings: { process_ms: 1.5, prefill_ms: 20, decode_ms: 7 },
    });
    expect(answer.choices[0]?.message).not.toHaveProperty("tool_calls");
  });

  it("has null content when there are only tool calls, and text beside them when there is some", async () => {
    const toolCalls = [{ id: "call_a", name: "weather", arguments: ['{"ci', 'ty":"Oslo"}'] }];
    await using server = await scriptedApp([{ toolCalls }, { text: "Let me look.", toolCalls }]);
    const only = await server.answer({ ...HELLO, tools: [WEATHER] });
    expect(only.choices[0]).toMatchObject({
      finish_reason: "tool_calls",
      message: { content: null, tool_calls: [{ id: "call_a", type: "function", function: { name: "weather", arguments: '{"city":"Oslo"}' } }] },
    });
    const both = await server.answer({ ...HELLO, tools: [WEATHER] });
    expect(both.choices[0]?.message.content).toBe("Let me look.");
    expect(both.choices[0]?.message.tool_calls).toHaveLength(1);
  });

  it("has the model's thinking apart from its content, and so has the stream", async () => {
    await using server = await scriptedApp(() => ({ reasoning: ["Let me ", "see."], text: ["Yes", "."] }));
    const answer = await server.answer(HELLO);
    expect(answer.choices[0]?.message).toMatchObject({ reasoning_content: "Let me see.", content: "Yes." });
    const { chunks } = await server.stream(HELLO);
    const deltas = chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta));
    expect(deltas.map((delta) => delta.reasoning_content ?? "").join("")).toBe("Let me see.");
    expect(deltas.map((delta) => delta.content ?? "").join("")).toBe("Yes.");
  });

  it("says length when max_tokens ends it, and prefers max_completion_tokens", async () => {
    await using server = await scriptedApp(() => ({ text: ["a", "b", "c", "d"] }));
    const older = await server.answer({ ...HELLO, max_tokens: 2 });
    expect(older.choices[0]).toMatchObject({ finish_reason: "length", message: { content: "ab" } });
    const newer = await server.answer({ ...HELLO, max_tokens: 2, max_completion_tokens: 3 });
    expect(newer.choices[0]?.message.content).toBe("abc");
  });
});

describe("the stream", () => {
  it("carries the role first, one id, one finish reason with timings, and ends with [DONE]", async () => {
    await using server = await scriptedApp([{ text: ["Hel", "lo\n\n", "data: x"] }]);
    const { chunks, isDone } = await server.stream(HELLO);
    expect(isDone).toBe(true);
    expect(chunks[0]?.choices[0]?.delta.role).toBe("assistant");
    expect(chunks.slice(1).some((chunk) => chunk.choices[0]?.delta.role)).toBe(false);
    expect(new Set(chunks.map((chunk) => chunk.id)).size).toBe(1);
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("")).toBe("Hello\n\ndata: x");
    const finishes = chunks.filter((chunk) => chunk.choices[0]?.finish_reason);
    expect(finishes).toHaveLength(1);
    expect(finishes[0]).toBe(chunks.at(-1));
    expect(finishes[0]?.timings).toEqual({ process_ms: 1, prefill_ms: 2, decode_ms: 3 });
    expect(chunks.every((chunk) => !("usage" in chunk))).toBe(true);
  });

  it("adds a usage chunk without choices when asked", async () => {
    await using server = await scriptedApp([{ text: "hi", usage: { promptTokens: 5, completionTokens: 1, cachedTokens: 3 } }]);
    const { chunks } = await server.stream({ ...HELLO, stream_options: { include_usage: true } });
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6, prompt_tokens_details: { cached_tokens: 3 } } });
    expect(chunks.slice(0, -1).every((chunk) => chunk.usage === null)).toBe(true);
  });

  it("joins to the whole answer's tool calls for every split of the arguments", async () => {
    const json = '{"city":"Zürich 😀","days":[1,2]}';
    const characters = [...json];
    const splits = characters.map((_, at) => [characters.slice(0, at).join(""), characters.slice(at).join("")]);
    await using server = await scriptedApp((_, index) => ({
      toolCalls: [
        { id: "call_a", name: "weather", arguments: splits[Math.floor(index / 2)] ?? [] },
        { id: "call_b", name: "weather", arguments: characters },
      ],
    }));
    for (const _ of splits) {
      const { chunks } = await server.stream({ ...HELLO, tools: [WEATHER] });
      const whole = await server.answer({ ...HELLO, tools: [WEATHER] });
      const deltas = chunks.flatMap((chunk) => chunk.choices[0]?.delta.tool_calls ?? []);
      const joined = [0, 1].map((index) => {
        const own = deltas.filter((delta) => delta.index === index);
        expect(own.filter((delta) => delta.function.name !== undefined)).toEqual([own[0]]);
        return { id: own[0]?.id, type: own[0]?.type, function: { name: own[0]?.function.name, arguments: own.map((delta) => delta.function.arguments).join("") } };
      });
      expect(joined).toEqual(whole.choices[0]?.message.tool_calls);
      expect(joined[0]?.function.arguments).toBe(json);
    }
  });

  it("has the headers of an event stream", async () => {
    await using server = await scriptedApp(["hi"]);
    const { headers } = await server.post({ ...HELLO, stream: true }, { headers: { "x-request-id": "mine-1" } });
    expect(headers).toMatchObject({ "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache", "x-request-id": "mine-1" });
  });

  it("becomes an error event, without [DONE], when the engine fails on the way", async () => {
    await using server = await scriptedApp([{ text: ["a", "b", "c"], error: new Error("secret detail"), failAtStep: 2 }]);
    const { chunks, isDone, error } = await server.stream(HELLO);
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content).join("")).toBe("ab");
    expect(isDone).toBe(false);
    expect(error).toMatchObject({ type: "server_error", code: "internal" });
    expect(error?.message).not.toContain("secret");
  });
});

describe("what reaches the engine", () => {
  async function received(payload: object): Promise<ChatRequest> {
    await using server = await scriptedApp(["ok"]);
    await server.answer({ ...HELLO, ...payload });
    const [request] = server.engine.requests;
    if (!request) throw new Error("nothing reached the engine");
    return request;
  }

  it("keeps parts in their place, tool messages included", async () => {
    const picture = { type: "image_url", image_url: { url: PNG_URI, detail: "high" } };
    const { messages } = await received({
      messages: [
        { role: "developer", content: "be brief" },
        { role: "user", content: [{ type: "text", text: "one" }, picture, { type: "text", text: "two" }, picture], name: "ada" },
        { role: "assistant", content: null, refusal: null, tool_calls: [{ id: "call_1", type: "function", function: { name: "look", arguments: "" } }] },
        { role: "tool", tool_call_id: "call_1", content: [picture, { type: "text", text: "seen" }] },
      ],
    });
    const image = { type: "image", image: PNG };
    expect(messages).toEqual([
      { role: "system", content: "be brief" },
      { role: "user", content: [{ type: "text", text: "one" }, image, { type: "text", text: "two" }, image] },
      { role: "assistant", content: "", toolCalls: [{ id: "call_1", name: "look", arguments: "{}" }] },
      { role: "tool", toolCallId: "call_1", content: [image, { type: "text", text: "seen" }] },
    ]);
  });

  it("carries every sampling field, and leaves absent ones to the engine", async () => {
    const request = await received({
      temperature: 0.3, top_p: 0.8, top_k: 40, min_p: 0.05, repetition_penalty: 1.2, seed: -1, stop: "END", max_completion_tokens: 7,
    });
    expect(request).toMatchObject({
      temperature: 0.3, topP: 0.8, topK: 40, minP: 0.05, repetitionPenalty: 1.2, seed: 4294967295, stop: ["END"], maxTokens: 7,
    });
    const bare = await received({ temperature: null, seed: null, stop: null, top_k: -1, tools: null });
    expect(bare).toMatchObject({ topK: 0, toolChoice: "auto" });
    for (const field of ["temperature", "topP", "minP", "repetitionPenalty", "seed", "stop", "maxTokens", "tools"] as const) expect(bare[field]).toBeUndefined();
  });

  it("carries tools and tool_choice", async () => {
    const request = await received({ tools: [WEATHER], tool_choice: "none" });
    expect(request.toolChoice).toBe("none");
    expect(request.tools).toEqual([{ name: "weather", description: "Weather of a city", parameters: WEATHER.function.parameters }]);
  });

  it("ignores hints and bookkeeping that the SDKs send", async () => {
    const request = await received({
      user: "u", store: false, metadata: { a: "b" }, parallel_tool_calls: true, service_tier: "auto", n: 1, logprobs: false, presence_penalty: 0,
      logit_bias: {}, response_format: { type: "text" }, modalities: ["text"], something_new: 1,
    });
    expect(request.messages).toHaveLength(1);
  });
});
