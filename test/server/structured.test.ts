import OpenAI from "openai";
import { zodFunction, zodResponseFormat } from "openai/helpers/zod";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { SimpleEngine } from "../../src/engine/simple-engine.js";
import { serve, type RunningServer } from "../../src/server/start.js";
import { HELLO, scriptedApp } from "./support.js";

/** Forms of answers and the sampling surface, with the official client and the embedded model, which knows none of these tasks. */
let server: RunningServer;
let client: OpenAI;

beforeAll(async () => {
  server = await serve({ engine: new SimpleEngine("tiny"), port: 0 });
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none", maxRetries: 0 });
});
afterAll(() => server.close());

const messages = [{ role: "user" as const, content: "hello" }];
const hot = { model: "tiny", messages, temperature: 1.5, top_p: 1, max_tokens: 300 };

const Person = z.object({
  name: z.string().max(10),
  age: z.number().int().min(0).max(120),
  pets: z.array(z.object({ kind: z.enum(["cat", "dog"]), good: z.boolean() })).max(2),
  home: z.union([z.object({ city: z.string().max(6) }), z.null()]),
});
const Click = z.object({ coordinate: z.array(z.number().int().min(0).max(639)).length(2), button: z.enum(["left", "right"]) });

describe("response_format", () => {
  it("parses with zod, whole and streamed", async () => {
    for (let seed = 0; seed < 4; seed++) {
      const request = { ...hot, seed, response_format: zodResponseFormat(Person, "person") };
      const { choices } = await client.chat.completions.parse(request);
      expect(choices[0]?.message.refusal).toBeNull();
      expect(Person.parse(choices[0]?.message.parsed)).toEqual(choices[0]?.message.parsed);
      const streamed = await client.chat.completions.stream(request).finalChatCompletion();
      expect(streamed.choices[0]?.message.parsed).toEqual(choices[0]?.message.parsed);
    }
  });

  it("json_object is one, and cut short it says so", async () => {
    const { choices } = await client.chat.completions.create({ ...hot, seed: 3, max_tokens: 3, response_format: { type: "json_object" } });
    expect(choices[0]).toMatchObject({ finish_reason: "length", message: { content: expect.stringMatching(/^\s*\{/) as string } });
  });

  it("is refused by its path where it cannot be enforced", async () => {
    const schema = { type: "object", properties: { x: { type: "string", pattern: "(?<!a)b" } } };
    const refused = await client.chat.completions.create({ ...hot, response_format: { type: "json_schema", json_schema: { name: "x", schema } } }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ status: 400, param: "response_format.json_schema.schema/properties/x/pattern" });
    const tools = [{ type: "function" as const, function: { name: "f", strict: true, parameters: { type: "object", properties: { x: { not: {} } } } } }];
    expect(await client.chat.completions.create({ ...hot, tools }).catch((error: unknown) => error)).toMatchObject({ status: 400, param: "tools[0].function.parameters/properties/x/not" });
  });
});

describe("tool_choice", () => {
  const tools = [zodFunction({ name: "click", parameters: Click }), zodFunction({ name: "person", parameters: Person })];

  it("required calls, with arguments inside the schema, streamed as well", async () => {
    for (let seed = 0; seed < 4; seed++) {
      const request = { ...hot, seed, tools, tool_choice: "required" as const, parallel_tool_calls: seed % 2 === 0 };
      const { choices } = await client.chat.completions.parse(request);
      const calls = choices[0]?.message.tool_calls ?? [];
      expect(choices[0]?.finish_reason).toBe("tool_calls");
      if (seed % 2 === 1) expect(calls).toHaveLength(1);
      for (const call of calls) (call.function.name === "click" ? Click : Person).parse(JSON.parse(call.function.arguments));
      const streamed = await client.chat.completions.stream(request).finalChatCompletion();
      expect(streamed.choices[0]?.message.tool_calls?.map((call) => call.function)).toMatchObject(calls.map(({ function: { name, arguments: text } }) => ({ name, arguments: text })));
    }
  });

  it("a named function is the one called", async () => {
    const { choices } = await client.chat.completions.create({ ...hot, seed: 1, tools, tool_choice: { type: "function", function: { name: "click" } }, parallel_tool_calls: false });
    expect(choices[0]?.message.tool_calls).toMatchObject([{ function: { name: "click" } }]);
  });

  it("without tools, or of another function, is refused", async () => {
    for (const request of [{ tool_choice: "required" as const }, { tools, tool_choice: { type: "function" as const, function: { name: "other" } } }]) {
      expect(await client.chat.completions.create({ ...hot, ...request }).catch((error: unknown) => error)).toMatchObject({ status: 400, param: "tool_choice" });
    }
  });
});

describe("sampling", () => {
  it("tells log probabilities, whole and streamed, whose bytes are the content", async () => {
    const request = { ...hot, seed: 5, max_tokens: 12, logprobs: true, top_logprobs: 3 };
    const { choices } = await client.chat.completions.create(request);
    const content = choices[0]?.logprobs?.content ?? [];
    expect(Buffer.from(content.flatMap(({ bytes }) => bytes ?? [])).toString()).toBe(choices[0]?.message.content);
    for (const { logprob, top_logprobs: top } of content) {
      expect(logprob).toBeLessThanOrEqual(0);
      expect(top).toHaveLength(3);
      expect(top.map((one) => one.logprob)).toEqual(top.map((one) => one.logprob).sort((a, b) => b - a));
      expect(logprob).toBeLessThanOrEqual(top[0]!.logprob);
    }
    const streamed = await client.chat.completions.stream({ ...request, stream: true }).finalChatCompletion();
    expect(streamed.choices[0]?.logprobs?.content).toEqual(content);
  });

  it("gives n choices, each as its seed gives it alone, with the prompt counted once", async () => {
    const request = { ...hot, seed: 7, max_tokens: 8 };
    const several = await client.chat.completions.create({ ...request, n: 3 });
    const alone = await Promise.all([7, 8, 9].map((seed) => client.chat.completions.create({ ...request, seed })));
    expect(several.choices.map(({ index, message }) => [index, message.content])).toEqual(alone.map(({ choices }, index) => [index, choices[0]?.message.content]));
    expect(several.usage?.prompt_tokens).toBe(alone[0]?.usage?.prompt_tokens);
    expect(several.usage?.completion_tokens).toBe(alone.reduce((total, { usage }) => total + (usage?.completion_tokens ?? 0), 0));
    const streamed = await client.chat.completions.stream({ ...request, n: 3 }).finalChatCompletion();
    // Of an empty text the client's helper makes null.
    expect(streamed.choices.map(({ message }) => message.content ?? "")).toEqual(several.choices.map(({ message }) => message.content));
  });

  it("a bias decides, and one of a token that is none is refused", async () => {
    const { choices } = await client.chat.completions.create({ ...hot, temperature: 0, max_tokens: 5, logit_bias: { "65": 100 }, logprobs: true });
    expect(new Set(choices[0]?.logprobs?.content?.map(({ token }) => token)).size).toBe(1);
    expect(await client.chat.completions.create({ ...hot, logit_bias: { "99999999": 1 } }).catch((error: unknown) => error)).toMatchObject({ status: 400, param: "logit_bias" });
  });
});

it("reaches the engine in its words", async () => {
  await using app = await scriptedApp(["ok"]);
  const schema = { type: "object" };
  await app.answer({ ...HELLO, presence_penalty: 1, frequency_penalty: -0.5, logit_bias: { "3": 2 }, logprobs: true, reasoning_effort: "none", chat_template_kwargs: { style: "plain" }, response_format: { type: "json_schema", json_schema: { name: "x", schema } }, parallel_tool_calls: false });
  expect(app.engine.requests[0]).toMatchObject({ presencePenalty: 1, frequencyPenalty: -0.5, logitBias: { "3": 2 }, logprobs: 0, templateVariables: { enable_thinking: false, style: "plain" }, responseFormat: { type: "json_schema", schema }, parallelToolCalls: false });
});
