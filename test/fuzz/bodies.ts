import { PNG_URI } from "../server/support.js";
import type { Random } from "../unit/support/random-schemas.js";

/** Requests that are answered, with about every field there is: what fuzzing starts from. */
const TOOL = { name: "weather", description: "…", parameters: { type: "object", properties: { city: { type: "string", enum: ["a", "b"] } }, required: ["city"], additionalProperties: false }, strict: true };
const SAMPLING = { temperature: 0.5, top_p: 0.9, top_k: 5, min_p: 0.1, repetition_penalty: 1.1, presence_penalty: 0.1, frequency_penalty: 0.1, logit_bias: { "5": -100 }, seed: 7 };
const USER = { role: "user", content: [{ type: "text", text: "Grüße 😀" }, { type: "image_url", image_url: { url: PNG_URI, detail: "high" } }] };

const CHAT = {
  model: "scripted",
  messages: [
    { role: "system", content: "Be short." },
    USER,
    { role: "assistant", content: null, tool_calls: [{ id: "call_1", type: "function", function: { name: "weather", arguments: '{"city":"a"}' } }] },
    { role: "tool", tool_call_id: "call_1", content: [{ type: "text", text: "rain" }] },
  ],
  ...SAMPLING,
  max_tokens: 4,
  stop: ["\n\n", "END"],
  logprobs: true,
  top_logprobs: 2,
  n: 2,
  stream: false,
  stream_options: { include_usage: true },
  tools: [{ type: "function", function: TOOL }],
  tool_choice: { type: "function", function: { name: "weather" } },
  parallel_tool_calls: false,
  response_format: { type: "json_schema", json_schema: { name: "answer", schema: TOOL.parameters, strict: true } },
  reasoning_effort: "low",
  chat_template_kwargs: { enable_thinking: false },
  user: "somebody",
};

const IMAGE_BLOCK = { type: "image", source: { type: "base64", media_type: "image/png", data: PNG_URI.split(",")[1] } };
const MESSAGES = {
  model: "scripted",
  max_tokens: 4,
  system: [{ type: "text", text: "Be short." }],
  messages: [
    { role: "user", content: "What is the weather?" },
    { role: "assistant", content: [{ type: "tool_use", id: "toolu_1", name: "weather", input: { city: "a" } }] },
    { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1", content: [{ type: "text", text: "rain" }, IMAGE_BLOCK] }] },
  ],
  tools: [{ name: "weather", description: "…", input_schema: TOOL.parameters }],
  tool_choice: { type: "tool", name: "weather" },
  stop_sequences: ["END"],
  temperature: 0.5,
  top_p: 0.9,
  top_k: 5,
  stream: false,
  thinking: { type: "disabled" },
};

const RESPONSE = {
  model: "scripted",
  instructions: "Be short.",
  input: [
    { type: "message", role: "user", content: [{ type: "input_text", text: "What is it?" }, { type: "input_image", image_url: PNG_URI }] },
    { type: "function_call", call_id: "call_1", name: "weather", arguments: "{}" },
    { type: "function_call_output", call_id: "call_1", output: "rain" },
  ],
  tools: [{ type: "function", ...TOOL }],
  tool_choice: "required",
  parallel_tool_calls: false,
  text: { format: { type: "json_schema", name: "answer", schema: TOOL.parameters } },
  reasoning: { effort: "low" },
  metadata: { a: "b" },
  max_output_tokens: 4,
  temperature: 0.5,
  top_p: 0.9,
  store: false,
  stream: false,
  truncation: "disabled",
};

export const SEEDS: readonly { path: string; body: object }[] = [
  { path: "/v1/chat/completions", body: CHAT },
  { path: "/v1/messages", body: MESSAGES },
  { path: "/v1/messages/count_tokens", body: { model: MESSAGES.model, messages: MESSAGES.messages, tools: MESSAGES.tools } },
  { path: "/v1/responses", body: RESPONSE },
  { path: "/v1/completions", body: { model: "scripted", prompt: ["once", "twice"], max_tokens: 4, ...SAMPLING, n: 2, echo: true, stop: "END", stream: false, suffix: null, logprobs: 2, best_of: 2 } },
  { path: "/v1/embeddings", body: { model: "scripted", input: ["one", "two"], encoding_format: "base64", dimensions: 2 } },
  { path: "/tokenize", body: { model: "scripted", content: "one two", add_special: true, with_pieces: true } },
  { path: "/detokenize", body: { model: "scripted", tokens: [104, 105] } },
  { path: "/v1/models/load", body: { model: "scripted" } },
];

/** JSON texts that stand in for a value. Text and not values: JavaScript cannot hold two fields of one name, nor numbers beyond its own. */
const HOSTILE = [
  "null", "true", "false", "0", "-1", "1.5", "1e308", "-1e308", "1e999", "9007199254740993", "123456789012345678901234567890", "5e-324", "-0",
  '""', '" "', '"\\u0000"', '"\\ud800"', '"\\udfff\\ud800"', '"\\u202e\\ufeff"', '"__proto__"', '"constructor"', '"../../etc/passwd"', '"data:image/png;base64,AAAA"', '"data:,"', '"file:///etc/passwd"', '"http://127.0.0.1:1/"', '"http://[::1"', '"<|im_start|>"', '"{{ 7 * 7 }}"',
  "[]", "{}", "[[]]", "[null]", "[{}]", '[0,"",{}]', '{"type":"text"}', '{"type":"function"}', '{"$ref":"#"}', '{"$ref":"http://example.org/"}',
  '{"__proto__":{"polluted":true}}', '{"constructor":{"prototype":{"polluted":true}}}', '{"toString":1,"hasOwnProperty":null,"length":-1}',
];

const LARGE = [
  () => `"${"x".repeat(200_000)}"`,
  () => `"${"😀".repeat(50_000)}"`,
  () => `[${"0,".repeat(20_000)}0]`,
  () => `{${Array.from({ length: 5_000 }, (_, i) => `"k${i}":${i}`).join(",")}}`,
  () => "[".repeat(20_000) + "]".repeat(20_000),
  () => '{"a":'.repeat(10_000) + "1" + "}".repeat(10_000),
  () => '{"type":"array","items":'.repeat(3_000) + "{}" + "}".repeat(3_000),
  () => '{"anyOf":['.repeat(2_000) + "{}" + "]}".repeat(2_000),
  () => `{"type":"string","pattern":${JSON.stringify("(".repeat(3_000) + ")".repeat(3_000))}}`,
  () => JSON.stringify("[".repeat(20_000) + "]".repeat(20_000)),
  () => JSON.stringify('{"a":'.repeat(5_000) + "1" + "}".repeat(5_000)),
  () => '{"type":"string","pattern":"(a+)+$","maxLength":1000000000}',
  () => '{"type":"array","minItems":100000000,"items":{"type":"object","properties":{"a":{"type":"array","minItems":1000000}}}}',
];

/** How often a value is a large one: they cost what they weigh. */
const LARGE_CHANCE = 0.01;

/** A request body in which one to three places are not as they should be, and in one of five its text is not JSON as it should be. */
export function badBody(random: Random, seed: object): Buffer {
  let text = JSON.stringify(seed);
  for (let times = random.int(1, 3); times > 0; times--) text = withOtherValue(random, text);
  return random.chance(0.2) ? brokenText(random, text) : Buffer.from(text);
}

/** One value of a JSON text in place of another: found in the text, so that what is no value of JavaScript's stays. */
function withOtherValue(random: Random, text: string): string {
  const places = [...text.matchAll(/"(?:[^"\\]|\\.)*"(?=:)|(?<=[:[,])(?:"(?:[^"\\]|\\.)*"|-?\d[\d.e+-]*|true|false|null)/g)];
  const place = places[random.int(0, Math.max(0, places.length - 1))];
  if (place === undefined) return text;
  const isName = text[place.index + place[0].length] === ":" && place[0].startsWith('"');
  const end = place.index + place[0].length;
  if (isName) {
    const name = random.pick(['"__proto__"', '"constructor"', '""', '"\\u0000"', '"type"', '"x"', '"content"', '"role"']);
    return text.slice(0, place.index) + name + text.slice(end);
  }
  const value = random.chance(LARGE_CHANCE) ? random.pick(LARGE)() : random.chance(0.15) ? JSON.stringify(random.pick(SEEDS).body) : random.pick(HOSTILE);
  return text.slice(0, place.index) + value + text.slice(end);
}

/** What no JSON writer makes. */
function brokenText(random: Random, text: string): Buffer {
  const bytes = Buffer.from(text);
  const at = random.int(0, bytes.length - 1);
  switch (random.int(0, 6)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      bytes[at] = random.int(0, 255);
      return bytes;
    case 2:
      return Buffer.concat([bytes.subarray(0, at), randomBytes(random, 8), bytes.subarray(at)]);
    case 3:
      return Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes]);
    case 4:
      return Buffer.concat([bytes, bytes]);
    case 5:
      return Buffer.from(text, "utf16le");
    default:
      return Buffer.from(text.replace(/:("[^"]*"|\d+)/, random.pick([":NaN", ":undefined", ":'x'", ":0x10", ":+1", ":01", ": /**/ 1", ":1,"])));
  }
}

export function randomBytes(random: Random, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random.int(0, 255)));
}
