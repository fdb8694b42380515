import { describe, expect, it } from "vitest";
import type { ToolDefinition } from "../../src/engine/messages.js";
import { detectToolCallFormat, TOOL_CALL_FORMATS, toolCallFormat } from "../../src/engine/tools/detect.js";

const TOOLS: ToolDefinition[] = [
  { name: "get_weather", parameters: { type: "object", properties: { city: { type: "string" }, days: { type: "integer" }, flags: { type: "array" }, precise: { type: "boolean" }, where: { anyOf: [{ type: "object" }, { type: "null" }] } } } },
  { name: "type-text", parameters: { type: "object", properties: { text: { type: "string" } } } },
  { name: "now" },
];

interface Parsed {
  text: string;
  calls: { id: string; name: string; arguments: string }[];
}

function parse(format: string, deltas: readonly string[]): Parsed {
  let made = 0;
  const parser = toolCallFormat(format).createParser({ tools: TOOLS, newId: () => `call_${made++}` });
  const parsed: Parsed = { text: "", calls: [] };
  for (const event of [...deltas.flatMap((delta) => parser.feed(delta)), ...parser.end()]) {
    if (event.type === "text") parsed.text += event.text;
    else if (event.type === "tool_call") expect(parsed.calls.push({ id: event.id, name: event.name, arguments: "" })).toBe(event.index + 1);
    else parsed.calls[event.index]!.arguments += event.delta;
  }
  return parsed;
}

function generator(start: number): (below: number) => number {
  let seed = start;
  return (below) => ((seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) >>> 8) % below;
}

type Calls = [name: string, args: unknown][];
const NONE: Calls = [];
const PARIS: Calls = [["get_weather", { city: "Paris", days: 2 }]];
const TWO: Calls = [...PARIS, ["now", {}]];

/** Format, answer, its content, its calls: as the makers of the models document them. */
const CASES: [format: string, whole: string, text: string, calls: Calls][] = [
  ["qwen-xml", "Well.\n<tool_call>\n<function=get_weather>\n<parameter=city>\nParis\n</parameter>\n<parameter=days>\n2\n</parameter>\n</function>\n</tool_call>", "Well.", PARIS],
  ["qwen-xml", "<tool_call>\n<function=get_weather>\n<parameter=city>\n12\n</parameter>\n<parameter=flags>\n[1, \"a\"]\n</parameter>\n<parameter=precise>\nTrue\n</parameter>\n<parameter=where>\nnull\n</parameter>\n</function>\n</tool_call>\n", "", [["get_weather", { city: "12", flags: [1, "a"], precise: true, where: null }]]],
  ["qwen-xml", "<tool_call>\n<function=type-text>\n<parameter=text>\n one\n\n<b>two</b>\n\n</parameter>\n</function>\n</tool_call>\n<tool_call>\n<function=now>\n</function>\n</tool_call> ok", " ok", [["type-text", { text: " one\n\n<b>two</b>\n" }], ["now", {}]]],
  ["qwen-xml", "<function=now>\n</function>", "", [["now", {}]]],
  ["qwen-xml", "<tool_call>\n<function=get_weather>\n<parameter=city>\nPar", "", [["get_weather", { city: "Par" }]]],
  ["qwen-xml", "<tool_call>{\"name\": 1}</tool_call> and <function", "<tool_call>{\"name\": 1}</tool_call> and <function", NONE],
  ["gemma", "Sure.\n```tool_code\nget_weather(city=\"Paris\", days=2)\n```", "Sure.", PARIS],
  ["gemma", "```tool_code\nprint(get_weather('Paris', 2))\nx = now()  # time\n```\nDone", "\nDone", TWO],
  ["gemma", "```tool_code\ntype-text(text=\"\"\"a ```b``` \"c\" \\n\"\"\")\n```", "", [["type-text", { text: "a ```b``` \"c\" \n" }]]],
  ["gemma", "```tool_code\ntype-text \"hello there\"\nget_weather --city Paris --days=2 --precise\n```", "", [["type-text", { text: "hello there" }], ["get_weather", { city: "Paris", days: 2, precise: true }]]],
  ["gemma", "```tool_code\ndefault_api.get_weather(\n  city='Paris',\n  flags=[True, None, {'a': -1.5}],\n)\n```", "", [["get_weather", { city: "Paris", flags: [true, null, { a: -1.5 }] }]]],
  ["gemma", "```tool_code\nimport os\n```\n", "```tool_code\nimport os\n```\n", NONE],
  ["gemma", "```python\nget_weather('x')\n```", "```python\nget_weather('x')\n```", NONE],
  ["mistral", "[TOOL_CALLS] [{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\", \"days\": 2}}, {\"name\": \"now\", \"arguments\": {}}]", "", TWO],
  ["mistral", "Hm [TOOL_CALLS]get_weather[ARGS]{\"city\": \"Paris\", \"days\": 2}[TOOL_CALLS]now[ARGS]{}", "Hm", TWO],
  ["mistral", "[TOOL_CALLS]get_weather{\"city\": \"a ] } \\\" [TOOL_CALLS]\"}", "", [["get_weather", { city: "a ] } \" [TOOL_CALLS]" }]]],
  ["mistral", "[TOOL_CALLS] [{\"name\": ] and [TOOL", "[TOOL_CALLS] [{\"name\": ] and [TOOL", NONE],
  ["llama-json", "{\"name\": \"get_weather\", \"parameters\": {\"city\": \"Paris\", \"days\": 2}}", "", PARIS],
  ["llama-json", "<|python_tag|>{\"name\": \"get_weather\", \"parameters\": {\"city\": \"Paris\", \"days\": 2}}; {\"name\": \"now\", \"parameters\": {}}", "", TWO],
  ["llama-json", "{\"answer\": 42}", "{\"answer\": 42}", NONE],
  ["llama-json", "It is {\"name\": \"now\", \"parameters\": {}}", "It is {\"name\": \"now\", \"parameters\": {}}", NONE],
  ["llama-pythonic", "[get_weather(city=\"Paris\", days=2), now()]", "", TWO],
  ["llama-pythonic", "<|python_start|>[get_weather('Paris', days=2)]<|python_end|>", "", PARIS],
  ["llama-pythonic", "[1] is a footnote, [other(a=1)]", "[1] is a footnote, [other(a=1)]", NONE],
  ["phi", "<|tool_call|>[{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\", \"days\": 2}}]<|/tool_call|>", "", PARIS],
  ["phi", "functools[{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\", \"days\": 2}}, {\"name\": \"now\"}]", "", TWO],
  ["phi", "from functools import x; functools[0]", "from functools import x; functools[0]", NONE],
  ["deepseek", "Ok<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather\n```json\n{\"city\": \"Paris\", \"days\": 2}\n```<｜tool▁call▁end｜>\n<｜tool▁call▁begin｜>function<｜tool▁sep｜>now\n```json\n{}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>", "Ok", TWO],
  ["deepseek", "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{\"city\": \"Paris\", \"days\": 2}<｜tool▁call▁end｜><｜tool▁calls▁end｜>", "", PARIS],
  ["deepseek", "<｜tool▁calls▁begin｜>x<｜tool", "<｜tool▁calls▁begin｜>x<｜tool", NONE],
  ["kimi", "<|tool_calls_section_begin|><|tool_call_begin|>functions.get_weather:0<|tool_call_argument_begin|>{\"city\": \"Paris\", \"days\": 2}<|tool_call_end|><|tool_call_begin|>functions.now:1<|tool_call_argument_begin|>{}<|tool_call_end|><|tool_calls_section_end|>", "", TWO],
  ["kimi", "<|tool_calls_section_begin|><|tool_calls_section_end|>", "<|tool_calls_section_begin|><|tool_calls_section_end|>", NONE],
  ["glm", "Ok\n<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Paris</arg_value>\n<arg_key>days</arg_key>\n<arg_value>2</arg_value>\n</tool_call>\n<tool_call>now\n</tool_call>", "Ok", TWO],
  ["glm", "<tool_call>a b</tool_call>", "<tool_call>a b</tool_call>", NONE],
  ["lfm", "<|tool_call_start|>[get_weather(city=\"Paris\", days=2), now()]<|tool_call_end|>Checking.", "Checking.", TWO],
  ["lfm", "<|tool_call_start|>[get_weather(city=Paris)]<|tool_call_end|>", "<|tool_call_start|>[get_weather(city=Paris)]<|tool_call_end|>", NONE],
  ["hermes", "Ok\n<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\", \"days\": 2}}\n</tool_call>", "Ok", PARIS],
]; // prettier-ignore

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

  it.each(TOOL_CALL_FORMATS.map(({ name }) => name))("%s never throws and never loses text, whatever it is fed", (format) => {
    const whole = CASES.filter(([one]) => one === format).map(([, text]) => text);
    const pieces = [...toolCallFormat(format).marks, ...whole, ...whole.flatMap((text) => text.match(/[\w-]+|\s+|[^\w\s]+/g) ?? []), "\\", "[[[[", "{{", "'", '"', "\u0000", "😀", "x", " "];
    const random = generator(99);
    for (let round = 0; round < 1500; round++) {
      const parts = Array.from({ length: 1 + random(10) }, () => pieces[random(pieces.length)]!);
      let text = parts.join("");
      // Half of them: a valid answer with a character changed, lost or doubled.
      if (round % 2 === 0) {
        text = whole[random(whole.length)]!;
        const at = random(text.length);
        text = text.slice(0, at) + ["", text.slice(at, at + 1).repeat(2), "<", '"', "}"][random(5)]! + text.slice(at + 1);
      }
      const expected = parse(format, [text]);
      expect(parse(format, [...text]), text).toEqual(expected);
      if (expected.calls.length === 0) expect(expected.text).toBe(text);
    }
    const deep = toolCallFormat(format).render([{ name: "now", arguments: "{}" }]).replace(/[({]/, (open) => open + "[".repeat(20_000));
    expect(() => parse(format, [deep])).not.toThrow();
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

  it("names the formats there are when asked for another", () => {
    expect(() => toolCallFormat("xml")).toThrow(/deepseek, kimi,.*received "xml"/);
  });
});
