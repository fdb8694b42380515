import { describe, expect, it } from "vitest";
import { AnswerGrammars } from "../../src/engine/grammar/answers.js";
import type { ToolDefinition } from "../../src/engine/messages.js";
import { Tokenizer } from "../../src/engine/tokenizer/tokenizer.js";
import { TOOL_CALL_FORMATS } from "../../src/engine/tools/detect.js";
import { noise } from "./support/noise.js";
import { Random } from "./support/random-schemas.js";

const tokenizer = await Tokenizer.load("models/tiny");
const TOOLS: ToolDefinition[] = ["get_weather", "get_weather_forecast", "set-timer", "a.b"].map((name) => ({ name, parameters: { type: "object" } }));
const NAMES = TOOLS.map(({ name }) => name);
/** Formats whose calls no mark sets apart from text, and one in which code may stand before the name. */
const UNMARKED = ["llama-json", "llama-pythonic", "gemma"];

describe.each(TOOL_CALL_FORMATS.filter(({ name }) => !UNMARKED.includes(name)).map((format) => [format.name, format] as const))("calls that the model may make in the format %s", (_, format) => {
  const grammars = new AnswerGrammars(tokenizer, format);
  const [before, behind] = format.render([{ name: "NAME", arguments: "{}" }]).split("NAME") as [string, string];

  it("name a function that there is, whatever the model would write", async () => {
    const random = new Random(7);
    const seen = new Set<string>();
    for (let round = 0; round < 60; round++) {
      const begin = `Yes. ${before}`;
      const { text } = await noise(grammars.constraint({ tools: TOOLS }, "none")!, tokenizer, random, { visible: grammars.visibleTokens, begin, maxTokens: tokenizer.encode(begin).length + 24 });
      const rest = text.slice(begin.length);
      const name = rest.slice(0, rest.indexOf(behind[0]!));
      expect(NAMES, text).toContain(name);
      seen.add(name);
    }
    expect([...seen].sort()).toEqual([...NAMES].sort());
  });

  it("are free in all else: any call of a function that there is, a second one, and text that is none", async () => {
    const calls = NAMES.map((name) => ({ name, arguments: '{"NAME":"nobody","name":"x"}' }));
    for (const text of [format.render(calls.slice(0, 1)), calls.map((call) => `Now: ${format.render([call])}`).join("\n"), "I would call nobody.", `The mark begins with ${before.slice(0, 3)}.`]) {
      const result = await noise(grammars.constraint({ tools: TOOLS }, "none")!, tokenizer, new Random(1), { visible: grammars.visibleTokens, begin: text, maxTokens: tokenizer.encode(text).length });
      expect(result.text).toBe(text);
    }
  });
});

it("holds nothing to names where no tools are given, none is to be called, or a name is no name", () => {
  const grammars = new AnswerGrammars(tokenizer, TOOL_CALL_FORMATS.find(({ name }) => name === "hermes"));
  expect([grammars.constraint({}, "none"), grammars.constraint({ tools: TOOLS, toolChoice: "none" }, "none"), grammars.constraint({ tools: [{ name: 'a"b' }] }, "none")]).toEqual([undefined, undefined, undefined]);
});

it.each(UNMARKED)("leaves the format %s alone, where something else may stand", (name) => {
  const grammars = new AnswerGrammars(tokenizer, TOOL_CALL_FORMATS.find((format) => format.name === name));
  expect(grammars.constraint({ tools: TOOLS }, "none")).toBeUndefined();
});
