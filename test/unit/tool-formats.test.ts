import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { detectToolCallFormat, TOOL_CALL_FORMATS, toolCallFormat } from "../../src/engine/tools/detect.js";
import { CASES, generator, parse, type Calls, type Parsed } from "./support/tool-format-cases.js";

const named = CASES.map(([format, whole, ...rest]) => [format, whole.slice(0, 60), whole, ...rest] as const);
const shown = ({ calls }: Parsed): Calls => calls.map((call) => [call.name, JSON.parse(call.arguments) as unknown]);

describe("tool-call formats", () => {
  it.each(named)("%s reads %j", (format, _what, whole, text, calls) => {
    const parsed = parse(format, [whole]);
    expect({ text: parsed.text, calls: shown(parsed) }).toEqual({ text, calls });
  });

  it.each(named)("%s reads the same however it is cut: %j", (format, _what, whole) => {
    const expected = parse(format, [whole]);
    for (let cut = 0; cut <= whole.length; cut++) expect(parse(format, [whole.slice(0, cut), whole.slice(cut)])).toEqual(expected);
    expect(parse(format, [...whole])).toEqual(expected);
    const random = generator(7);
    for (let round = 0; round < 200; round++) {
      const deltas: string[] = [];
      for (let at = 0; at < whole.length; ) deltas.push(whole.slice(at, (at += 1 + random(12))));
      expect(parse(format, deltas)).toEqual(expected);
    }
  });

  it.each(TOOL_CALL_FORMATS.map((format) => [format.name, format] as const))("%s reads what it renders", (name, format) => {
    const calls = [
      { name: "get_weather", arguments: '{"city":"Zürich \\"日本\\"\\n<b> [x] }","days":3,"flags":[1,"a",null,{"b":true}],"precise":false}' },
      { name: "now", arguments: "{}" },
    ];
    const parsed = parse(name, [format.render(calls)]);
    expect(parsed.text).toBe("");
    expect(shown(parsed)).toEqual(calls.map((call) => [call.name, JSON.parse(call.arguments) as unknown]));
  });

  it("maps no more positional arguments than the function takes", () => {
    expect(parse("lfm", ["<|tool_call_start|>[now(1)]<|tool_call_end|>"]).calls).toEqual([]);
  });

  it("gives Mistral's calls ids its templates accept", () => {
    const parser = toolCallFormat("mistral").createParser();
    expect(parser.feed("[TOOL_CALLS]now[ARGS]{}")[0]).toMatchObject({ id: expect.stringMatching(/^[a-zA-Z0-9]{9}$/) as string });
  });

  it.each([
    ["qwen-xml", "<tool_call>\\n<function=example_function_name>\\n<parameter=example"],
    ["hermes", "return a json object within <tool_call></tool_call> tags"],
    ["mistral", "{{- '[TOOL_CALLS][' }}"],
    ["llama-json", "<|start_header_id|>system … {\"name\": function name, \"parameters\": dictionary}"],
    ["llama-pythonic", "<|start_header_id|> [func_name1(params_name1=params_value1, …)]"],
    ["phi", "'<|tool|>' + message['tools'] + '<|/tool|>'"],
    ["deepseek", "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>"],
    ["kimi", "<|tool_calls_section_begin|>"],
    ["glm", "<tool_call>{function-name}\\n<arg_key>{arg-key-1}</arg_key>"],
    ["lfm", "List of tools: <|tool_list_start|>["],
    ["gemma", "```tool_code"],
  ])("%s is found by the marks in a chat template", (name, template) => {
    expect(detectToolCallFormat(template)?.name).toBe(name);
  });

  it("are all in the README", async () => {
    const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
    for (const { name } of TOOL_CALL_FORMATS) expect(readme).toContain(`\`${name}\``);
  });

  it("names the formats there are when asked for another", () => {
    expect(() => toolCallFormat("xml")).toThrow(/deepseek, kimi,.*received "xml"/);
  });
});
