import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { AnswerGrammars, type AnswerRules } from "../../src/engine/grammar/answers.js";
import type { ToolDefinition } from "../../src/engine/messages.js";
import { Tokenizer } from "../../src/engine/tokenizer/tokenizer.js";
import { TOOL_CALL_FORMATS } from "../../src/engine/tools/detect.js";
import type { ToolCallEvent, ToolCallFormat } from "../../src/engine/tools/format.js";
import { noise } from "./support/noise.js";
import { Random, randomRoot } from "./support/random-schemas.js";

const ajv = new Ajv2020({ strict: false, validateFormats: false });
const tokenizer = await Tokenizer.load("models/tiny");

const GRAMMARS = new Map(TOOL_CALL_FORMATS.map((format) => [format, new AnswerGrammars(tokenizer, format)]));

/** Names that can be written in every format. */
const NAMES = ["x", "xy", "name", "city", "count", "units"];

interface Call {
  name: string;
  arguments: string;
}

function callsOf(events: readonly ToolCallEvent[]): { calls: Call[]; text: string } {
  const calls: Call[] = [];
  let text = "";
  for (const event of events) {
    if (event.type === "tool_call") calls[event.index] = { name: event.name, arguments: "" };
    else if (event.type === "tool_call_arguments") calls[event.index]!.arguments += event.delta;
    else text += event.text;
  }
  return { calls, text };
}

function toolsOf(random: Random, strict?: boolean): ToolDefinition[] {
  return ["get_weather", "click"].map((name) => ({ name, strict, parameters: randomRoot(random, NAMES) }));
}

async function answer(format: ToolCallFormat, rules: AnswerRules, random: Random, begin = ""): Promise<{ calls: Call[]; text: string; raw: string; isWhole: boolean }> {
  const grammars = GRAMMARS.get(format)!;
  const { text: raw, isWhole } = await noise(grammars.constraint(rules, "none")!, tokenizer, random, { visible: grammars.visibleTokens, begin, maxTokens: 400 });
  const parser = format.createParser({ tools: rules.tools });
  return { ...callsOf([...parser.feed(raw), ...parser.end()]), raw, isWhole };
}

function expectValid(calls: readonly Call[], tools: readonly ToolDefinition[], raw: string): void {
  for (const call of calls) {
    const tool = tools.find(({ name }) => name === call.name);
    expect(tool, raw).toBeDefined();
    const isValid = ajv.validate(tool!.parameters!, JSON.parse(call.arguments));
    expect(isValid, `${raw}\n${call.arguments}\n${JSON.stringify(tool!.parameters)}\n${ajv.errorsText()}`).toBe(true);
  }
}

/** How an answer in each format begins when it calls. */
const OPENINGS: Readonly<Record<string, string>> = {
  deepseek: "Well. <｜tool▁calls▁begin｜>",
  gemma: "Well. ```tool_code",
  glm: "Well. <tool_call>",
  hermes: "Well. <tool_call>",
  kimi: "Well. <|tool_calls_section_begin|>",
  lfm: "Well. <|tool_call_start|>",
  "llama-json": '{"name',
  "llama-pythonic": "[",
  mistral: "Well. [TOOL_CALLS]",
  phi: "Well. functools[",
  "qwen-xml": "Well. <function=",
};

describe.each(TOOL_CALL_FORMATS.map((format) => [format.name, format] as const))("noise that has to call in the format %s", (name, format) => {
  it("makes calls that its parser reads, with valid arguments", async () => {
    let whole = 0;
    for (let seed = 0; seed < 12; seed++) {
      const tools = toolsOf(new Random(seed));
      const parallelToolCalls = seed % 2 === 0 ? undefined : false;
      const { calls, text, raw, isWhole } = await answer(format, { tools, toolChoice: "required", parallelToolCalls }, new Random(seed + 1));
      if (!isWhole) continue;
      whole++;
      expect(text.trim(), raw).toBe("");
      expect(calls.length, raw).toBeGreaterThan(0);
      if (parallelToolCalls === false) expect(calls).toHaveLength(1);
      expectValid(calls, tools, raw);
    }
    expect(whole).toBeGreaterThan(6);
  });

  it("calls the function that is named, and no other", async () => {
    for (let seed = 0; seed < 5; seed++) {
      const { calls, isWhole, raw } = await answer(format, { tools: toolsOf(new Random(seed)), toolChoice: { name: "click" }, parallelToolCalls: false }, new Random(seed));
      if (isWhole) expect(calls.map((call) => call.name), raw).toEqual(["click"]); // prettier-ignore
    }
  });

  it("calls of the functions that are allowed, and no other, whether it has to or begins to by itself", async () => {
    const called = new Set<string>();
    for (let seed = 0; seed < 6; seed++) {
      const tools = ["get_weather", "get_weather_forecast", "click"].map((one): ToolDefinition => ({ name: one, strict: true, parameters: { type: "object", properties: { x: { type: "integer" } }, required: ["x"], additionalProperties: false } }));
      const allowedTools = [["get_weather", "click"], ["get_weather_forecast"]][seed % 2]!;
      for (const [toolChoice, begin] of [["required", ""], ["auto", OPENINGS[name]!]] as const) {
        const { calls, raw } = await answer(format, { tools, toolChoice, allowedTools, parallelToolCalls: false }, new Random(seed), begin);
        expect(calls, raw).toHaveLength(1);
        expect(allowedTools, raw).toContain(calls[0]!.name);
        called.add(calls[0]!.name);
      }
    }
    expect(called.size).toBeGreaterThan(1);
    const { text } = await answer(format, { tools: toolsOf(new Random(1)), toolChoice: "auto", allowedTools: ["click"] }, new Random(1), "Just words: 5 < 7 { [ (");
    expect(text.startsWith("Just words: 5 < 7")).toBe(true);
  });

  it("may say anything before a strict function's call, whose arguments are valid then", async () => {
    let whole = 0;
    for (let seed = 0; seed < 6; seed++) {
      const tools = toolsOf(new Random(seed), true);
      const { calls, raw, isWhole } = await answer(format, { tools, parallelToolCalls: false }, new Random(seed + 1), OPENINGS[name]);
      if (!isWhole) continue;
      whole++;
      expect(calls, raw).toHaveLength(1);
      expectValid(calls, tools, raw);
    }
    expect(whole).toBeGreaterThan(2);
  });

  it("may as well answer in words", async () => {
    const { text } = await answer(format, { tools: toolsOf(new Random(1), true) }, new Random(1), "Just words: 5 < 7 { [ (");
    expect(text.startsWith("Just words: 5 < 7")).toBe(true);
  });

  it("keeps coordinates inside the display", async () => {
    const coordinate = { type: "array", items: { type: "integer", minimum: 0, maximum: 639 }, minItems: 2, maxItems: 2 };
    const tools = [{ name: "computer", parameters: { type: "object", properties: { coordinate }, required: ["coordinate"], additionalProperties: false } }];
    for (let seed = 0; seed < 8; seed++) {
      const { calls, isWhole, raw } = await answer(format, { tools, toolChoice: "required", parallelToolCalls: false }, new Random(seed));
      expect(isWhole).toBe(true);
      expectValid(calls, tools, raw);
    }
  });
});

describe("tool choices that cannot be enforced", () => {
  const hermes = TOOL_CALL_FORMATS.find(({ name }) => name === "hermes")!;
  const pythonic = TOOL_CALL_FORMATS.find(({ name }) => name === "llama-pythonic")!;

  it("are refused by what is at fault", () => {
    const tools = [{ name: "f", strict: true, parameters: { type: "object", properties: { x: { type: "string", pattern: "\\ba" } } } }];
    expect(() => new AnswerGrammars(tokenizer, hermes).constraint({ tools }, "none")).toThrow(expect.objectContaining({ status: 400, param: "tools[0].parameters/properties/x/pattern" }));
    expect(() => new AnswerGrammars(tokenizer, hermes).constraint({ tools, toolChoice: { name: "g" } }, "none")).toThrow(expect.objectContaining({ status: 400 }));
    expect(() => new AnswerGrammars(tokenizer, undefined).constraint({ tools, toolChoice: "required" }, "none")).toThrow(expect.objectContaining({ status: 400 }));
    const named = [{ name: "f", parameters: { type: "object", properties: { "a b": { type: "string" } } } }];
    expect(() => new AnswerGrammars(tokenizer, pythonic).constraint({ tools: named, toolChoice: "required" }, "none")).toThrow(expect.objectContaining({ status: 400, param: "tools[0].parameters/properties/a b" }));
  });

  it("leave out what nobody asks to be strict about", async () => {
    const tools = [{ name: "f", strict: false, parameters: { type: "object", properties: { x: { not: {} } } } }];
    const { calls } = await answer(hermes, { tools, toolChoice: "required" }, new Random(3));
    expect(calls[0]?.name).toBe("f");
  });
});
