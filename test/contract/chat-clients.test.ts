import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import type { AIMessageChunk } from "@langchain/core/messages";
import { ChatOpenAI } from "@langchain/openai";
import { generateText, jsonSchema, streamText, tool } from "ai";
import OpenAI from "openai";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ScriptedEngine, type ScriptedReply } from "../../src/engine/scripted-engine.js";
import { serve, type RunningServer } from "../../src/server/start.js";
import { HARD, repliesOf } from "./support.js";

/** Clients of chat completions over a real socket: each reads the same from a stream, however it was cut, as from the whole answer. */
let server: RunningServer;
let reply: ScriptedReply;

beforeAll(async () => {
  server = await serve({ engine: new ScriptedEngine(() => reply), port: 0, apiKey: "the-key" });
});
afterAll(() => server.close());

const REPLIES = repliesOf(HARD);
const parameters = { type: "object", properties: { city: { type: "string" } } } as const;
const calls = HARD.calls.map(({ id, name, arguments: text }) => ({ id, name, arguments: text }));

it("openai for Node", async () => {
  const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "the-key", maxRetries: 0 });
  const request = { model: "scripted", messages: [{ role: "user" as const, content: "hello" }], tools: ["weather", "look"].map((name) => ({ type: "function" as const, function: { name, parameters } })) };
  for (reply of REPLIES) {
    const whole = (await client.chat.completions.create(request)).choices[0]?.message;
    const stream = client.chat.completions.stream(request);
    let reasoning = "";
    for await (const chunk of stream) reasoning += (chunk.choices[0]?.delta as { reasoning_content?: string } | undefined)?.reasoning_content ?? "";
    const streamed = (await stream.finalChatCompletion()).choices[0]?.message;
    expect(streamed?.content).toBe(whole?.content);
    expect(streamed?.tool_calls).toMatchObject(whole?.tool_calls ?? []);
    expect(whole).toMatchObject({ content: HARD.text, reasoning_content: HARD.reasoning, tool_calls: calls.map(({ id, name, arguments: text }) => ({ id, type: "function", function: { name, arguments: text } })) });
    expect(reasoning).toBe(HARD.reasoning);
  }
});

it("the AI SDK", async () => {
  const model = createOpenAICompatible({ name: "deskhand", baseURL: `${server.url}/v1`, apiKey: "the-key", includeUsage: true })("scripted");
  const tools = { weather: tool({ inputSchema: jsonSchema(parameters) }), look: tool({ inputSchema: jsonSchema(parameters) }) };
  const request = { model, prompt: "hello", tools, maxRetries: 0 };
  for (reply of REPLIES) {
    const whole = await generateText(request);
    const streamed = streamText(request);
    const read = async (answer: typeof whole | typeof streamed) => ({
      text: await answer.text,
      reasoning: await answer.reasoningText,
      finishReason: await answer.finishReason,
      calls: (await answer.toolCalls).map(({ toolCallId, toolName, input }) => ({ id: toolCallId, name: toolName, input })),
    });
    const expected = { text: HARD.text, reasoning: HARD.reasoning, finishReason: "tool-calls", calls: calls.map(({ id, name, arguments: text }) => ({ id, name, input: JSON.parse(text) as unknown })) };
    expect(await read(whole)).toEqual(expected);
    expect(await read(streamed)).toEqual(expected);
    expect((await streamed.usage).totalTokens).toBe(whole.usage.totalTokens);
  }
});

it("LangChain", async () => {
  const model = new ChatOpenAI({ model: "scripted", apiKey: "the-key", maxRetries: 0, configuration: { baseURL: `${server.url}/v1` } }).bindTools(
    ["weather", "look"].map((name) => ({ type: "function" as const, function: { name, parameters } })),
  );
  for (reply of REPLIES) {
    const whole = await model.invoke("hello");
    let streamed: AIMessageChunk | undefined;
    for await (const chunk of await model.stream("hello")) streamed = streamed === undefined ? chunk : streamed.concat(chunk);
    const expected = calls.map(({ id, name, arguments: text }) => ({ id, name, args: JSON.parse(text) as unknown }));
    for (const message of [whole, streamed]) {
      expect(message?.content).toBe(HARD.text);
      expect(message?.tool_calls).toMatchObject(expected);
    }
  }
});
