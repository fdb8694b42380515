import { basename } from "node:path";
import OpenAI from "openai";
import { zodFunction, zodResponseFormat } from "openai/helpers/zod";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { SimpleEngine } from "../../src/engine/simple-engine.js";
import { serve, type RunningServer } from "../../src/server/start.js";
import { FIXTURES } from "../golden/support/golden.js";
import { ModelCopy } from "../golden/support/model-copy.js";

/**
 * A model that thinks: random weights, with a template that opens `<think>` and tokens for its marks, as Qwen3 has them. Left alone it would
 * think on for ever; a bias on the closing mark makes it end.
 */
const CLOSE_ID = 383;
const GENERATION = "{{- '<|im_start|>assistant\\n' -}}";

let copy: ModelCopy;
let server: RunningServer;
let client: OpenAI;
let model: string;

beforeAll(async () => {
  copy = new ModelCopy(`${FIXTURES}qwen3/model`);
  copy.rewrite("tokenizer.json", (text) => text.replaceAll("tool_response", "think"));
  copy.rewrite("chat_template.jinja", (text) => text.replace(GENERATION, `${GENERATION}{%- if enable_thinking is false -%}{{- '<think>\\n\\n</think>\\n\\n' -}}{%- else -%}{{- '<think>\\n' -}}{%- endif -%}`));
  server = await serve({ engine: new SimpleEngine(copy.dir), port: 0 });
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none", maxRetries: 0 });
  model = basename(copy.dir);
});
afterAll(async () => {
  await server.close();
  copy[Symbol.dispose]();
});

const Click = z.object({ coordinate: z.array(z.number().int().min(0).max(639)).length(2), button: z.enum(["left", "right"]), held: z.boolean().nullable() });
const base = { messages: [{ role: "user" as const, content: "hello" }], top_p: 1, max_tokens: 1500 };

interface Thought {
  reasoning_content?: string;
}

describe.each([0, 0.7, 2])("at temperature %f", (temperature) => {
  // Greedy thinking ends at once or never; where tokens are drawn it takes some.
  const request = { ...base, temperature, logit_bias: { [CLOSE_ID]: temperature === 0 ? 100 : 2 + 2 * temperature } };

  it("the answer after the thinking is valid, whole and streamed", async () => {
    let thoughts = "";
    for (let seed = 0; seed < 4; seed++) {
      const asked = { ...request, model, seed, response_format: zodResponseFormat(Click, "click") };
      const { choices } = await client.chat.completions.parse(asked);
      expect(choices[0]).toMatchObject({ finish_reason: "stop", message: { parsed: Click.parse(JSON.parse(choices[0]?.message.content ?? "")) } });
      thoughts += (choices[0]?.message as Thought).reasoning_content ?? "";
      const streamed = await client.chat.completions.stream(asked).finalChatCompletion();
      expect(streamed.choices[0]?.message.content).toBe(choices[0]?.message.content);
    }
    if (temperature > 0) expect(thoughts).not.toBe("");
  });

  it("the call after the thinking is valid, whole and streamed", async () => {
    for (let seed = 0; seed < 4; seed++) {
      const asked = { ...request, model, seed, tools: [zodFunction({ name: "click", parameters: Click })], tool_choice: "required" as const, parallel_tool_calls: false };
      const { choices } = await client.chat.completions.create(asked);
      const [call] = choices[0]?.message.tool_calls ?? [];
      expect(choices[0]).toMatchObject({ finish_reason: "tool_calls", message: { content: null } });
      if (call?.type !== "function") throw new Error("expected a function call");
      Click.parse(JSON.parse(call.function.arguments));
      const streamed = await client.chat.completions.stream(asked).finalChatCompletion();
      expect(streamed.choices[0]?.message.tool_calls).toMatchObject([{ function: { name: "click", arguments: call.function.arguments } }]);
    }
  });

  it("what is cut in the thinking or in the answer says so", async () => {
    const form = { response_format: zodResponseFormat(Click, "click"), seed: 1 };
    const inThought = await client.chat.completions.create({ ...request, ...form, model, max_tokens: 20, logit_bias: { [CLOSE_ID]: -100 } });
    expect(inThought.choices[0]).toMatchObject({ finish_reason: "length" });
    expect(inThought.choices[0]?.message.content ?? "").toBe("");
    expect((inThought.choices[0]?.message as Thought).reasoning_content).not.toBe("");
    const inAnswer = await client.chat.completions.create({ ...request, ...form, model, max_tokens: 8, logit_bias: { [CLOSE_ID]: 100 } });
    expect(inAnswer.choices[0]).toMatchObject({ finish_reason: "length", message: { content: expect.stringMatching(/^\{/) as string } });
  });

  it("an answer without thinking is valid too", async () => {
    const { choices } = await client.chat.completions.parse({ ...request, model, seed: 3, reasoning_effort: "none", response_format: zodResponseFormat(Click, "click") });
    expect(Click.parse(choices[0]?.message.parsed)).toEqual(JSON.parse(choices[0]?.message.content ?? ""));
    expect((choices[0]?.message as Thought).reasoning_content ?? "").toBe("");
  });
});
