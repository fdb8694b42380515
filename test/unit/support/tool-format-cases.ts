import { expect } from "vitest";
import type { ToolDefinition } from "../../../src/engine/messages.js";
import { toolCallFormat } from "../../../src/engine/tools/detect.js";

const TOOLS: ToolDefinition[] = [
  { name: "get_weather", parameters: { type: "object", properties: { city: { type: "string" }, days: { type: "integer" }, flags: { type: "array" }, precise: { type: "boolean" }, where: { anyOf: [{ type: "object" }, { type: "null" }] } } } },
  { name: "type-text", parameters: { type: "object", properties: { text: { type: "string" } } } },
  { name: "now" },
];

export interface Parsed {
  text: string;
  calls: { id: string; name: string; arguments: string }[];
}

/** Content and calls, joined as a client joins them. */
export function parse(format: string, deltas: readonly string[]): Parsed {
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

/** Numbers below a bound, the same in every run. */
export function generator(start: number): (below: number) => number {
  let seed = start;
  return (below) => ((seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) >>> 8) % below;
}

export type Calls = [name: string, args: unknown][];
const NONE: Calls = [];
const PARIS: Calls = [["get_weather", { city: "Paris", days: 2 }]];
const TWO: Calls = [...PARIS, ["now", {}]];

/** Format, answer, its content, its calls: as the makers of the models document them. */
export const CASES: [format: string, whole: string, text: string, calls: Calls][] = [
  ["qwen-xml", "Well.\n<tool_call>\n<function=get_weather>\n<parameter=city>\nParis\n</parameter>\n<parameter=days>\n2\n</parameter>\n</function>\n</tool_call>", "Well.", PARIS],
  ["qwen-xml", "<tool_call>\n<function=get_weather>\n<parameter=city>\n12\n</parameter>\n<parameter=flags>\n[1, \"a\"]\n</parameter>\n<parameter=precise>\nTrue\n</parameter>\n<parameter=where>\nnull\n</parameter>\n</function>\n</tool_call>\n", "", [["get_weather", { city: "12", flags: [1, "a"], precise: true, where: null }]]],
  ["qwen-xml", "<tool_call>\n<function=type-text>\n<parameter=text>\n one\n\n<b>two</b>\n\n</parameter>\n</function>\n</tool_call>\n<tool_call>\n<function=now>\n</function>\n</tool_call> ok", " ok", [["type-text", { text: " one\n\n<b>two</b>\n" }], ["now", {}]]],
  ["qwen-xml", "<function=now>\n</function>", "", [["now", {}]]],
  ["qwen-xml", "<tool_call>\n<function=get_weather>\n<parameter=city>\nPar", "", [["get_weather", { city: "Par" }]]],
  ["qwen-xml", "<tool_call>{\"name\": 1}</tool_call> and <function", "{\"name\": 1} and ", NONE],
  ["qwen-xml", "<tool_call>\n<function=get_weather>\n<parameter=city>\nParis\n</param", "", [["get_weather", { city: "Paris" }]]],
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
  ["mistral", "[TOOL_CALLS] [{\"name\": ] and [TOOL_", " [{\"name\": ] and ", NONE],
  ["llama-json", "{\"name\": \"get_weather\", \"parameters\": {\"city\": \"Paris\", \"days\": 2}}", "", PARIS],
  ["llama-json", "<|python_tag|>{\"name\": \"get_weather\", \"parameters\": {\"city\": \"Paris\", \"days\": 2}}; {\"name\": \"now\", \"parameters\": {}}", "", TWO],
  ["llama-json", "{\"answer\": 42}", "{\"answer\": 42}", NONE],
  ["llama-json", "It is {\"name\": \"now\", \"parameters\": {}}", "It is {\"name\": \"now\", \"parameters\": {}}", NONE],
  ["llama-json", "<|python_start|>{\"name\": \"get_weather\", \"parameters\": {\"city\": \"Paris\", \"days\": 2}}<|python_end|>", "", PARIS],
  ["llama-json", "[get_weather(city=\"Paris\", days=2), now()]", "", TWO],
  ["llama-pythonic", "[get_weather(city=\"Paris\", days=2), now()]", "", TWO],
  ["llama-pythonic", "<|python_start|>[get_weather('Paris', days=2)]<|python_end|>", "", PARIS],
  ["llama-pythonic", "[1] is a footnote, [other(a=1)]", "[1] is a footnote, [other(a=1)]", NONE],
  ["phi", "<|tool_call|>[{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\", \"days\": 2}}]<|/tool_call|>", "", PARIS],
  ["phi", "functools[{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\", \"days\": 2}}, {\"name\": \"now\"}]", "", TWO],
  ["phi", "from functools import x; functools[0]", "from functools import x; functools[0]", NONE],
  ["deepseek", "Ok<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather\n```json\n{\"city\": \"Paris\", \"days\": 2}\n```<｜tool▁call▁end｜>\n<｜tool▁call▁begin｜>function<｜tool▁sep｜>now\n```json\n{}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>", "Ok", TWO],
  ["deepseek", "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{\"city\": \"Paris\", \"days\": 2}<｜tool▁call▁end｜><｜tool▁calls▁end｜>", "", PARIS],
  ["deepseek", "<｜tool▁calls▁begin｜>x<｜tool▁call", "x", NONE],
  ["kimi", "<|tool_calls_section_begin|><|tool_call_begin|>functions.get_weather:0<|tool_call_argument_begin|>{\"city\": \"Paris\", \"days\": 2}<|tool_call_end|><|tool_call_begin|>functions.now:1<|tool_call_argument_begin|>{}<|tool_call_end|><|tool_calls_section_end|>", "", TWO],
  ["kimi", "<|tool_calls_section_begin|><|tool_calls_section_end|>", "", NONE],
  ["glm", "Ok\n<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Paris</arg_value>\n<arg_key>days</arg_key>\n<arg_value>2</arg_value>\n</tool_call>\n<tool_call>now\n</tool_call>", "Ok", TWO],
  ["glm", "<tool_call>a b</tool_call>", "a b", NONE],
  ["lfm", "<|tool_call_start|>[get_weather(city=\"Paris\", days=2), now()]<|tool_call_end|>Checking.", "Checking.", TWO],
  ["lfm", "<|tool_call_start|>[get_weather(city=Paris)]<|tool_call_end|>", "[get_weather(city=Paris)]", NONE],
  ["hermes", "Ok\n<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\", \"days\": 2}}\n</tool_call>", "Ok", PARIS],
]; // prettier-ignore
