import OpenAI from "openai";
import type { ChatCompletionCreateParamsNonStreaming } from "openai/resources/chat/completions";
import { describe, expect, it } from "vitest";
import { ScriptedEngine, type Script } from "../../src/engine/scripted-engine.js";
import { serve } from "../../src/server/start.js";
import { HARD, repliesOf } from "../contract/support.js";
import { parseStream, scriptedApp } from "./support.js";

/** `functions` and `function_call`, as OpenAI's API had them before tools: the official client still speaks it. */
const [CALL, ...MORE] = HARD.calls;
const FUNCTIONS = [{ name: CALL!.name, description: "Does it.", parameters: { type: "object", properties: {} } }];
const ASK: ChatCompletionCreateParamsNonStreaming = { model: "scripted", messages: [{ role: "user", content: "Do it" }], functions: FUNCTIONS };

async function clientOf(script: Script) {
  const engine = new ScriptedEngine(script);
  const server = await serve({ engine, port: 0 });
  return { engine, client: new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none", maxRetries: 0 }), [Symbol.asyncDispose]: () => server.close() };
}

describe("functions", () => {
  it("reach the model as tools, and its call comes back as a function_call", async () => {
    await using server = await clientOf([{ toolCalls: [CALL!, ...MORE] }]);
    const { choices } = await server.client.chat.completions.create(ASK);
    expect(server.engine.requests[0]?.tools).toEqual(FUNCTIONS);
    expect(choices[0]).toMatchObject({ finish_reason: "function_call", message: { role: "assistant", content: null, function_call: { name: CALL!.name, arguments: CALL!.arguments } } });
    expect(choices[0]?.message).not.toHaveProperty("tool_calls");
  });

  it("streamed, however the arguments are cut, join to the same call, through the official client's own joining too", async () => {
    const replies = repliesOf({ ...HARD, calls: [CALL!] });
    await using app = await scriptedApp(replies);
    for (let index = 0; index < replies.length; index++) {
      const { chunks, isDone } = await app.stream(ASK);
      const deltas = chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta));
      const calls = deltas.flatMap(({ function_call: call }) => (call ? [call] : []));
      expect(isDone).toBe(true);
      expect(calls.map(({ name }) => name).filter((name) => name !== undefined)).toEqual([CALL!.name]);
      expect(calls.map((call) => call.arguments).join("")).toBe(CALL!.arguments);
      expect(deltas.map(({ content = "" }) => content).join("")).toBe(HARD.text);
      expect(deltas.some((delta) => "tool_calls" in delta)).toBe(false);
      expect(chunks.flatMap(({ choices }) => choices.flatMap(({ finish_reason }) => finish_reason ?? []))).toEqual(["function_call"]);
    }
    await using server = await clientOf([{ toolCalls: [CALL!, ...MORE] }]);
    const joined = await server.client.chat.completions.stream({ ...ASK, stream: true }).finalChatCompletion();
    expect(joined.choices[0]?.message.function_call).toEqual({ name: CALL!.name, arguments: CALL!.arguments });
  });

  it("can be hidden from the model, and an answer in words stays one", async () => {
    await using server = await clientOf(["Done.", "Done."]);
    const { choices } = await server.client.chat.completions.create({ ...ASK, function_call: "none" });
    expect(choices[0]).toMatchObject({ finish_reason: "stop", message: { content: "Done." } });
    expect(server.engine.requests[0]?.toolChoice).toBe("none");
  });
});

describe("a function's result", () => {
  it("goes to the model with the call it belongs to, one after the other", async () => {
    await using server = await clientOf(["Fine."]);
    await server.client.chat.completions.create({
      ...ASK,
      messages: [
        { role: "user", content: "Do it twice" },
        { role: "assistant", content: null, function_call: { name: "a", arguments: '{"n":1}' } },
        { role: "function", name: "a", content: "one" },
        { role: "assistant", content: "And again.", function_call: { name: "b", arguments: "" } },
        { role: "function", name: "b", content: "two" },
      ],
    });
    expect(server.engine.requests[0]?.messages).toEqual([
      { role: "user", content: "Do it twice" },
      { role: "assistant", content: "", toolCalls: [{ id: "call_1", name: "a", arguments: '{"n":1}' }] },
      { role: "tool", toolCallId: "call_1", name: "a", content: "one" },
      { role: "assistant", content: "And again.", toolCalls: [{ id: "call_3", name: "b", arguments: "{}" }] },
      { role: "tool", toolCallId: "call_3", name: "b", content: "two" },
    ]);
  });
});

it("the usage chunk and other chunks pass as they are", async () => {
  await using app = await scriptedApp([{ text: ["a", "b"] }]);
  const body = (await app.post({ ...ASK, stream: true, stream_options: { include_usage: true } })).body;
  const { chunks } = parseStream(body);
  expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 2 } });
});
