import OpenAI, { APIConnectionError, APIError, APIUserAbortError, BadRequestError, InternalServerError, NotFoundError, RateLimitError } from "openai";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { DeskhandError } from "../../src/core/errors.js";
import { ScriptedEngine, type ScriptedReply } from "../../src/engine/scripted-engine.js";
import { serve, type RunningServer } from "../../src/server/start.js";
import { deferred, endlessText, localServer, PNG, PNG_URI, until } from "./support.js";

/** The official client over a real socket; each test says what the engine replies. */
let server: RunningServer;
let client: OpenAI;
let reply: string | ScriptedReply;
let engine: ScriptedEngine;

beforeAll(async () => {
  engine = new ScriptedEngine(() => reply, { info: { id: "org/scripted" } });
  server = await serve({ engine, port: 0, limits: { maxConcurrent: 1, maxWaiting: 1 } });
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none", maxRetries: 0 });
});
afterAll(() => server.close());
beforeEach(() => {
  engine.requests.length = 0;
  engine.outcomes.length = 0;
});

const model = "org/scripted";
const messages = [{ role: "user" as const, content: "hello" }];
const tools = [{ type: "function" as const, function: { name: "weather", parameters: { type: "object", properties: { city: { type: "string" } } } } }];

describe("answers", () => {
  it("whole, with the request id", async () => {
    reply = { text: ["Hello", " there"] };
    const { data, request_id } = await client.chat.completions.create({ model, messages }).withResponse();
    expect(data.choices[0]?.message).toMatchObject({ role: "assistant", content: "Hello there" });
    expect(data.usage).toMatchObject({ total_tokens: 3, prompt_tokens_details: { cached_tokens: 0 } });
    expect(request_id).toMatch(/^req_/);
  });

  it("streamed, joined by the client into the same completion", async () => {
    reply = { text: ["Grüße ", "😀", "\r\n\r\n", "data: [DONE]\n\n", "end"], toolCalls: [{ id: "call_1", name: "weather", arguments: ['{"city"', ':"東京"}'] }] };
    const whole = await client.chat.completions.create({ model, messages, tools });
    const stream = client.chat.completions.stream({ model, messages, tools, stream_options: { include_usage: true } });
    const streamed = await stream.finalChatCompletion();
    expect(streamed.choices[0]?.message.content).toBe(whole.choices[0]?.message.content);
    expect(streamed.choices[0]?.message.tool_calls).toMatchObject(whole.choices[0]?.message.tool_calls ?? []);
    expect(streamed.choices[0]?.finish_reason).toBe("tool_calls");
    expect(streamed.usage).toEqual(whole.usage);
  });

  it("with a picture by data URI and one by URL", async () => {
    await using site = await localServer((_request, response) => {
      response.setHeader("content-type", "image/png").end(PNG);
    });
    await using open = await serve({ engine: new ScriptedEngine(["two pictures"]), port: 0, allowPrivateUrls: true });
    const answer = await new OpenAI({ baseURL: `${open.url}/v1`, apiKey: "none" }).chat.completions.create({
      model: open.modelId,
      messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: PNG_URI } }, { type: "image_url", image_url: { url: `${site.url}/b.png` } }] }],
    });
    expect(answer.choices[0]?.message.content).toBe("two pictures");
  });

  it("a tool round trip, run by the client's own tool runner", async () => {
    const rounds: ScriptedReply[] = [{ toolCalls: [{ id: "call_7", name: "weather", arguments: '{"city":"Oslo"}' }] }, { text: "It rains in Oslo." }];
    const runner = client.chat.completions.runTools({
      model,
      messages: [{ role: "user", content: "Weather in Oslo?" }],
      tools: [
        {
          type: "function",
          function: {
            name: "weather",
            description: "Weather of a city",
            parameters: { type: "object", properties: { city: { type: "string" } } },
            parse: (text: string) => z.object({ city: z.string() }).parse(JSON.parse(text)),
            function: ({ city }: { city: string }) => `rain in ${city}`,
          },
        },
      ],
    });
    reply = rounds[0] ?? "";
    runner.on("message", (message) => {
      if (message.role === "tool") reply = rounds[1] ?? "";
    });
    expect(await runner.finalContent()).toBe("It rains in Oslo.");
    expect(engine.requests[1]?.messages.slice(1)).toEqual([
      { role: "assistant", content: "", toolCalls: [{ id: "call_7", name: "weather", arguments: '{"city":"Oslo"}' }] },
      { role: "tool", toolCallId: "call_7", content: "rain in Oslo" },
    ]);
  });

  it("the models", async () => {
    const ids = (await client.models.list()).data.map(({ id }) => id);
    expect(ids[0]).toBe("org/scripted");
    expect((await client.models.retrieve("org/scripted")).id).toBe("org/scripted");
    await expect(client.models.retrieve("nobody/none")).rejects.toBeInstanceOf(NotFoundError);
  });
});

describe("errors have the client's own classes", () => {
  it("bad request", async () => {
    const error = await client.chat.completions.create({ model, messages, web_search_options: {} }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(BadRequestError);
    expect(error).toMatchObject({ status: 400, code: "unsupported_input", param: "web_search_options", type: "invalid_request_error" });
  });

  it("unknown model", async () => {
    const error = await client.chat.completions.create({ model: "gpt-9", messages }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(NotFoundError);
    expect(error).toMatchObject({ code: "model_not_found", param: "model" });
  });

  it("engine failure", async () => {
    reply = { error: new Error("broken") };
    await expect(client.chat.completions.create({ model, messages })).rejects.toBeInstanceOf(InternalServerError);
  });

  it("context too long, before the stream opens", async () => {
    reply = { error: new DeskhandError("context_length_exceeded", "too long") };
    const error = await client.chat.completions.create({ model, messages, stream: true }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(BadRequestError);
    expect(error).toMatchObject({ code: "context_length_exceeded" });
  });

  it("a failure on the way of a stream reaches the reader after the text so far", async () => {
    reply = { text: ["a", "b"], error: new Error("broken"), failAtStep: 2 };
    let text = "";
    const read = async () => {
      for await (const chunk of await client.chat.completions.create({ model, messages, stream: true })) text += chunk.choices[0]?.delta.content ?? "";
    };
    const error = await read().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(APIError);
    expect(error).not.toBeInstanceOf(APIConnectionError);
    expect(error).toMatchObject({ code: "internal" });
    expect(text).toBe("ab");
  });

  it("a full queue", async () => {
    const gate = deferred();
    reply = { text: "ok", beforeStep: () => gate.promise };
    const accepted = [client.chat.completions.create({ model, messages })];
    await until(() => engine.running === 1);
    accepted.push(client.chat.completions.create({ model, messages }));
    // Which of two equal requests comes second is the network's choice, so the refused one is asked for until it is refused.
    let refused: unknown;
    while (refused === undefined) {
      const attempt = client.chat.completions.create({ model, messages }, { timeout: 300 });
      refused = await attempt.then(() => undefined, (thrown: unknown) => (thrown instanceof RateLimitError ? thrown : undefined));
    }
    expect(refused).toMatchObject({ status: 429, code: "queue_full" });
    gate.resolve();
    await Promise.allSettled(accepted);
  });
});

describe("leaving", () => {
  it("an abort of a whole answer cancels the engine", async () => {
    reply = { text: endlessText() };
    const controller = new AbortController();
    const answer = client.chat.completions.create({ model, messages }, { signal: controller.signal }).catch((thrown: unknown) => thrown);
    await until(() => engine.running === 1);
    controller.abort();
    expect(await answer).toBeInstanceOf(APIUserAbortError);
    await until(() => engine.outcomes.length === 1);
    expect(engine.outcomes).toEqual(["cancelled"]);
  });

  it("breaking out of a stream cancels the engine, and the next request is served", async () => {
    reply = { text: endlessText() };
    for await (const chunk of await client.chat.completions.create({ model, messages, stream: true })) {
      if (chunk.choices[0]?.delta.content) break;
    }
    await until(() => engine.outcomes.length === 1);
    expect(engine.outcomes).toEqual(["cancelled"]);
    reply = "next";
    expect((await client.chat.completions.create({ model, messages })).choices[0]?.message.content).toBe("next");
  });
});
