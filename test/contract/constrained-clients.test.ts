import Anthropic from "@anthropic-ai/sdk";
import { jsonSchemaOutputFormat } from "@anthropic-ai/sdk/helpers/json-schema";
import { zodOutputFormat } from "@anthropic-ai/sdk/helpers/zod";
import OpenAI from "openai";
import { zodResponsesFunction, zodTextFormat } from "openai/helpers/zod";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { SimpleEngine } from "../../src/engine/simple-engine.js";
import { serve, type RunningServer } from "../../src/server/start.js";

/**
 * Forms of answers as Anthropic's client and OpenAI's client for responses ask for them, of a model that knows none of these tasks. That they
 * are kept to at any temperature is shown for chat requests and the grammars themselves; here, that they are asked for.
 */
const engine = new SimpleEngine("tiny");
let server: RunningServer;
let anthropic: Anthropic;
let openai: OpenAI;

beforeAll(async () => {
  server = await serve({ engine, port: 0 });
  anthropic = new Anthropic({ baseURL: server.url, apiKey: "none", maxRetries: 0 });
  openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none", maxRetries: 0 });
});
afterAll(() => server.close());

const Click = z.object({ coordinate: z.array(z.number().int().min(0).max(639)).length(2), button: z.enum(["left", "right"]) });
const Pet = z.object({ kind: z.enum(["cat", "dog"]), home: z.union([z.object({ good: z.boolean() }), z.null()]) });
const FORMS: Readonly<Record<string, z.ZodType>> = { click: Click, pet: Pet };
const refused = { type: "object", properties: { x: { not: {} } } } as const;

describe("Anthropic's client", () => {
  const messages = [{ role: "user" as const, content: "hello" }];
  const ask = { model: "tiny", max_tokens: 300, temperature: 1, messages };
  const tools = Object.entries(FORMS).map(([name, form]): Anthropic.Tool => ({ name, input_schema: z.toJSONSchema(form) as Anthropic.Tool.InputSchema }));

  const callsOf = ({ content }: Anthropic.Message) => content.filter((block) => block.type === "tool_use");
  const check = (message: Anthropic.Message): void => {
    expect(message.stop_reason).toBe("tool_use");
    expect(message.content.map(({ type }) => type)).not.toContain("text");
    for (const { name, input } of callsOf(message)) FORMS[name]!.parse(input);
  };

  it("gets a call where any is asked for, whole and streamed", async () => {
    // One call each: noise that may go on calling need not come to an end.
    const request = { ...ask, tools, tool_choice: { type: "any" as const, disable_parallel_tool_use: true } };
    for (const message of [await anthropic.messages.create(request), await anthropic.messages.stream(request).finalMessage()]) {
      check(message);
      expect(callsOf(message)).toHaveLength(1);
    }
  });

  it("gets calls of the tool that is named, and none where none is wanted", async () => {
    const message = await anthropic.messages.create({ ...ask, tools, tool_choice: { type: "tool", name: "click", disable_parallel_tool_use: true } });
    check(message);
    expect(callsOf(message).map(({ name }) => name)).toEqual(["click"]);
    const silent = await anthropic.messages.create({ ...ask, max_tokens: 20, tools, tool_choice: { type: "none" } });
    expect(callsOf(silent)).toEqual([]);
  });

  it("parses what output_config asks for with zod, whole, streamed and as the field was called before", async () => {
    // The client keeps bounds to itself when it translates from zod.
    const parsed = await anthropic.messages.parse({ ...ask, output_config: { format: zodOutputFormat(Pet) } });
    expect(parsed.parsed_output).toEqual(Pet.parse(JSON.parse(parsed.content[0]?.type === "text" ? parsed.content[0].text : "")));
    const streamed = await anthropic.messages.stream({ ...ask, output_config: { format: jsonSchemaOutputFormat(z.toJSONSchema(Click) as { type: "object" }, { transform: false }) } }).finalMessage();
    Click.parse(streamed.parsed_output);
    const raw = await anthropic.post<Anthropic.Message>("/v1/messages", { body: { ...ask, output_format: { type: "json_schema", schema: z.toJSONSchema(Click) } } });
    Click.parse(JSON.parse(raw.content[0]?.type === "text" ? raw.content[0].text : ""));
  });

  it.each([
    ["a strict tool's", { tools: [{ name: "f", strict: true, input_schema: refused }] }, "tools.0.input_schema/properties/x/not"],
    ["a required tool's", { tools: [{ name: "f", input_schema: refused }], tool_choice: { type: "any" as const } }, "tools.0.input_schema/properties/x/not"],
    ["an answer's", { output_config: { format: { type: "json_schema" as const, schema: refused } } }, "output_config.format.schema/properties/x/not"],
    ["an answer's in the older field,", { output_format: { type: "json_schema" as const, schema: refused } }, "output_format.schema/properties/x/not"],
  ])("is told the place of what cannot be enforced in %s schema", async (_name, fields, place) => {
    const error = await anthropic.messages.create({ ...ask, ...fields }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Anthropic.BadRequestError);
    expect((error as Error).message).toContain(`${place}:`);
  });
});

describe("OpenAI's client for responses", () => {
  const ask = { model: "tiny", input: "hello", temperature: 2, max_output_tokens: 300 };
  const tools = [zodResponsesFunction({ name: "click", parameters: Click }), zodResponsesFunction({ name: "pet", parameters: Pet })];

  const check = (response: OpenAI.Responses.Response): OpenAI.Responses.ResponseFunctionToolCall[] => {
    const calls = response.output.filter((item) => item.type === "function_call");
    expect(response.output).toHaveLength(calls.length);
    for (const call of calls) FORMS[call.name]!.parse(JSON.parse(call.arguments));
    return calls;
  };

  it("gets a call where one is required, whole and streamed", async () => {
    const request = { ...ask, tools, tool_choice: "required" as const, parallel_tool_calls: false };
    expect(check(await openai.responses.parse(request))).toHaveLength(1);
    expect(check(await openai.responses.stream(request).finalResponse())).toHaveLength(1);
  });

  it("gets calls of the function that is named, and none where none is wanted", async () => {
    const named = await openai.responses.create({ ...ask, tools, tool_choice: { type: "function", name: "pet" }, parallel_tool_calls: false });
    expect(check(named).map(({ name }) => name)).toEqual(["pet"]);
    const silent = await openai.responses.create({ ...ask, max_output_tokens: 20, tools, tool_choice: "none" });
    expect(silent.output.map(({ type }) => type)).not.toContain("function_call");
  });

  it("parses what text.format asks for with zod, whole and streamed", async () => {
    const format = zodTextFormat(Pet, "pet");
    const whole = await openai.responses.parse({ ...ask, text: { format } });
    expect(Pet.parse(whole.output_parsed)).toEqual(JSON.parse(whole.output_text));
    Pet.parse((await openai.responses.stream({ ...ask, text: { format } }).finalResponse()).output_parsed);
  });

  it("gets an object where a JSON object is asked for, and is told where it was cut", async () => {
    const response = await openai.responses.create({ ...ask, max_output_tokens: 3, text: { format: { type: "json_object" } } });
    expect(response).toMatchObject({ status: "incomplete", incomplete_details: { reason: "max_output_tokens" }, output_text: expect.stringMatching(/^\s*\{/) as string });
  });

  it.each([
    ["a strict function's", { tools: [{ type: "function" as const, name: "f", strict: true, parameters: refused }] }, "tools[0].parameters/properties/x/not"],
    ["a required function's", { tools: [{ type: "function" as const, name: "f", strict: null, parameters: refused }], tool_choice: "required" as const }, "tools[0].parameters/properties/x/not"],
    ["an answer's", { text: { format: { type: "json_schema" as const, name: "x", schema: refused } } }, "text.format.schema/properties/x/not"],
  ])("is told the place of what cannot be enforced in %s schema", async (_name, fields, param) => {
    const error = await openai.responses.create({ ...ask, ...fields }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error).toMatchObject({ param, message: expect.stringContaining(`${param}:`) as string });
  });
});

describe("allowed_tools, which OpenAI's client sends so that a conversation's tools stay as they are", () => {
  const tools = Object.entries(FORMS).map(([name, form]) => ({ name, parameters: z.toJSONSchema(form), strict: true }));
  const messages = [{ role: "user" as const, content: "hello" }];
  const chat = { model: "tiny", messages, max_tokens: 300, tools: tools.map((tool) => ({ type: "function" as const, function: tool })), parallel_tool_calls: false };
  const responses = { model: "tiny", input: "hello", max_output_tokens: 300, tools: tools.map((tool) => ({ type: "function" as const, ...tool })), parallel_tool_calls: false };
  const inChat = (mode: "auto" | "required", ...names: string[]) => ({ type: "allowed_tools" as const, allowed_tools: { mode, tools: names.map((name) => ({ type: "function", function: { name } })) } });
  const inResponses = (mode: "auto" | "required", ...names: string[]) => ({ type: "allowed_tools" as const, mode, tools: names.map((name) => ({ type: "function", name })) });

  it.each(Object.keys(FORMS))("has %s called and nothing else where a call is required, from the prompt as it was", async (name) => {
    const all = await openai.chat.completions.create({ ...chat, tool_choice: "required" });
    const { choices, usage } = await openai.chat.completions.create({ ...chat, temperature: 2, tool_choice: inChat("required", name) });
    expect(choices[0]!.message.tool_calls).toMatchObject([{ function: { name } }]);
    expect(usage!.prompt_tokens).toBe(all.usage!.prompt_tokens);
    expect(usage!.prompt_tokens_details!.cached_tokens).toBe(usage!.prompt_tokens - 1);
    const streamed = await openai.chat.completions.stream({ ...chat, temperature: 2, tool_choice: inChat("required", name) }).finalChatCompletion();
    expect(streamed.choices[0]!.message.tool_calls).toMatchObject([{ function: { name } }]);
    const response = await openai.responses.create({ ...responses, temperature: 2, tool_choice: inResponses("required", name) });
    expect(response.output).toMatchObject([{ type: "function_call", name }]);
    expect(response.tool_choice).toEqual(inResponses("required", name));
  });

  it("lets the model answer in words where it may, and no other tool be called where it calls by itself", async () => {
    const [mark] = await engine.encode({ text: "<tool_call>" });
    for (const name of Object.keys(FORMS)) {
      const silent = await openai.chat.completions.create({ ...chat, max_tokens: 20, logit_bias: { [mark!]: -100 }, tool_choice: inChat("auto", name) });
      expect(silent.choices[0]!.message).toMatchObject({ content: expect.any(String) as string });
      expect(silent.choices[0]!.message.tool_calls ?? []).toEqual([]);
      const calling = await openai.chat.completions.create({ ...chat, temperature: 0, logit_bias: { [mark!]: 100 }, tool_choice: inChat("auto", name) });
      expect(calling.choices[0]).toMatchObject({ finish_reason: "tool_calls", message: { tool_calls: [{ function: { name } }] } });
    }
    const words = await openai.responses.create({ ...responses, max_output_tokens: 20, tool_choice: inResponses("auto", "pet") });
    expect(words.output.filter((item) => item.type === "function_call" && item.name !== "pet")).toEqual([]);
  });

  it("names what is no tool", async () => {
    const refusal = (asked: Promise<unknown>) => asked.catch((error: unknown) => error);
    expect(await refusal(openai.chat.completions.create({ ...chat, tool_choice: inChat("auto", "pet", "other") }))).toMatchObject({ status: 400, param: "tool_choice.allowed_tools.tools[1].function.name" });
    expect(await refusal(openai.responses.create({ ...responses, tool_choice: inResponses("auto", "other") }))).toMatchObject({ status: 400, param: "tool_choice.tools[0].name" });
    expect(await refusal(openai.responses.create({ ...responses, tool_choice: { type: "allowed_tools", mode: "auto", tools: [{ type: "image_generation" }] } }))).toMatchObject({ status: 400, message: expect.stringContaining("runs no tools") as string });
    expect(await refusal(openai.chat.completions.create({ ...chat, tool_choice: inChat("required") }))).toMatchObject({ status: 400 });
  });
});

describe("the older functions", () => {
  it("are called where one is named", async () => {
    const functions = [{ name: "click", parameters: z.toJSONSchema(Click) }, { name: "pet", parameters: z.toJSONSchema(Pet) }];
    const request = { model: "tiny", messages: [{ role: "user" as const, content: "hello" }], temperature: 2, max_tokens: 300, functions, function_call: { name: "click" } };
    const { choices } = await openai.chat.completions.create({ ...request, seed: 1 });
    expect(choices[0]).toMatchObject({ finish_reason: "function_call", message: { function_call: { name: "click" } } });
    Click.parse(JSON.parse(choices[0]?.message.function_call?.arguments ?? ""));
    const streamed = await openai.chat.completions.stream({ ...request, seed: 1 }).finalChatCompletion();
    expect(streamed.choices[0]?.message).toMatchObject({ function_call: choices[0]!.message.function_call! });
  });
});
