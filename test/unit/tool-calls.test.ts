import { describe, expect, it } from "vitest";
import { detectToolCallFormat } from "../../src/engine/tools/detect.js";
import type { ToolCallEvent } from "../../src/engine/tools/format.js";
import { hermes } from "../../src/engine/tools/hermes.js";

interface Parsed {
  text: string;
  calls: { id: string; name: string; arguments: string }[];
}

/** Joins events the way a client does, checking their order on the way. */
function join(events: ToolCallEvent[]): Parsed {
  const parsed: Parsed = { text: "", calls: [] };
  for (const event of events) {
    if (event.type === "text") parsed.text += event.text;
    else if (event.type === "tool_call") {
      expect(event.index).toBe(parsed.calls.length);
      parsed.calls.push({ id: event.id, name: event.name, arguments: "" });
    } else {
      expect(event.index).toBe(parsed.calls.length - 1);
      parsed.calls[event.index]!.arguments += event.delta;
    }
  }
  return parsed;
}

function parse(deltas: string[]): Parsed {
  let made = 0;
  const parser = hermes.createParser({ newId: () => `call_${made++}` });
  return join([...deltas.flatMap((delta) => parser.feed(delta)), ...parser.end()]);
}

const call = (name: string, args: string): string => `<tool_call>\n{"name": "${name}", "arguments": ${args}}\n</tool_call>`;

/** Text, and what a reader of the format would say it means: content and calls. */
const CASES: [what: string, whole: string, text: string, calls: [name: string, args: string][]][] = [
  ["no call", "Just text, with < and <tool and {braces}.", "Just text, with < and <tool and {braces}.", []],
  ["empty", "", "", []],
  ["white space only", " \n", " \n", []],
  ["text that ends in white space", "Hello \n\n", "Hello \n\n", []],
  ["one call", call("get_weather", '{"city": "Paris"}'), "", [["get_weather", '{"city": "Paris"}']]],
  ["text before", `Action: click OK\n${call("click", '{"x": 1, "y": [2, 3]}')}`, "Action: click OK", [["click", '{"x": 1, "y": [2, 3]}']]],
  ["text after", `${call("a", "{}")}\nDone.\n`, "\nDone.\n", [["a", "{}"]]],
  ["text between", `One\n${call("a", "{}")}\n\nTwo\n${call("b", "{}")}\n`, "One\n\nTwo", [["a", "{}"], ["b", "{}"]]],
  ["two calls", `${call("a", '{"n": 1}')}\n${call("b", '{"n": {"m": [{}]}}')}`, "", [["a", '{"n": 1}'], ["b", '{"n": {"m": [{}]}}']]],
  ["no line breaks", '<tool_call>{"name":"a","arguments":{"k":"v"}}</tool_call>', "", [["a", '{"k":"v"}']]],
  ["odd spacing", '<tool_call> { "name" : "a" , "arguments" : { "k" : 1 } } </tool_call>', "", [["a", '{ "k" : 1 }']]],
  ["arguments first", '<tool_call>\n{"arguments": {"k": "v"}, "name": "late"}\n</tool_call>', "", [["late", '{"k": "v"}']]],
  ["other keys", '<tool_call>\n{"id": 7, "name": "a", "extra": {"x": "}"}, "arguments": {"k": 1}, "more": null}\n</tool_call>', "", [["a", '{"k": 1}']]],
  ["no arguments", '<tool_call>\n{"name": "now"}\n</tool_call>', "", [["now", "{}"]]],
  ["null arguments", '<tool_call>\n{"name": "now", "arguments": null}\n</tool_call>', "", [["now", "{}"]]],
  ["arguments in a string", '<tool_call>\n{"name": "a", "arguments": "{\\"k\\": \\"v\\"}"}\n</tool_call>', "", [["a", '{"k": "v"}']]],
  ["quotes, braces and escapes in strings", call("type", '{"text": "a \\"b\\" } ] \\\\", "u": "\\u00e9 \\n"}'), "", [["type", '{"text": "a \\"b\\" } ] \\\\", "u": "\\u00e9 \\n"}']]],
  ["a closing tag inside a string", call("type", '{"text": "</tool_call> <tool_call>"}'), "", [["type", '{"text": "</tool_call> <tool_call>"}']]],
  ["escaped name", '<tool_call>\n{"name": "a\\u0062c", "arguments": {}}\n</tool_call>', "", [["abc", "{}"]]],
  ["unicode", `Voilà 日本 😀\n${call("type", '{"text": "héllo 日本 😀"}')}`, "Voilà 日本 😀", [["type", '{"text": "héllo 日本 😀"}']]],
  ["raw line break in a string", call("type", '{"text": "one\n\ttwo"}'), "", [["type", '{"text": "one\\n\\ttwo"}']]],
  ["no closing tag", '<tool_call>\n{"name": "a", "arguments": {"k": 1}}', "", [["a", '{"k": 1}']]],
  ["no closing tag, then another call", `<tool_call>\n{"name": "a", "arguments": {}}\n${call("b", "{}")}`, "", [["a", "{}"], ["b", "{}"]]],
  ["no closing tag, then text", '<tool_call>\n{"name": "a", "arguments": {}}\nand so on', "\nand so on", [["a", "{}"]]],
  ["no closing brace", '<tool_call>\n{"name": "a", "arguments": {"k": 1}\n</tool_call>\nok', "\nok", [["a", '{"k": 1}']]],
  ["closing tag cut", '<tool_call>\n{"name": "a", "arguments": {}}\n</tool_', "", [["a", "{}"]]],
  ["arguments cut", '<tool_call>\n{"name": "a", "arguments": {"text": "half', "", [["a", '{"text": "half']]],
  ["arguments with a bare word", call("a", '{"k": <b>}') + " ok", " ok", [["a", '{"k": <b>}}']]],
  ["arguments without a closing quote", '<tool_call>\n{"name": "a", "arguments": {"k": "v\n}}\n</tool_call>\nok', "\nok", [["a", '{"k": "v\\n}}']]],
  ["cut before the arguments", 'Well\n<tool_call>\n{"name": "a", "argu', 'Well\n\n{"name": "a", "argu', []],
  ["cut marker", "Well\n<tool_ca", "Well\n", []],
  ["less than half a marker", "1 <to", "1 <to", []],
  ["not JSON", "Use <tool_call> like this.", "Use  like this.", []],
  ["XML inside", "<tool_call>\n<function=a>\n</tool_call>", "\n<function=a>\n", []],
  ["no name", '<tool_call>\n{"arguments": {"k": 1}}\n</tool_call> x', '\n{"arguments": {"k": 1}}\n x', []],
  ["name is no string", '<tool_call>\n{"name": 3, "arguments": {}}\n</tool_call>', '\n{"name": 3, "arguments": {}}\n', []],
  ["single quotes", "<tool_call>\n{'name': 'a', 'arguments': {}}\n</tool_call>", "\n{'name': 'a', 'arguments': {}}\n", []],
  ["malformed, then a good call", `<tool_call>\n{oops}\n</tool_call>\n${call("b", '{"k": 1}')}`, "\n{oops}\n", [["b", '{"k": 1}']]],
  ["marker twice", `<tool_call>\n${call("a", "{}")}`, "", [["a", "{}"]]],
  ["marker begun twice", `<tool_<tool_call>{"name": "a", "arguments": {}}</tool_call>`, "", [["a", "{}"]]],
  ["a marker around another", "<tool_<tool_call>call> x", "<tool_ call> x", []],
  ["stray closing tag", "a </tool_call> b", "a  b", []],
]; // prettier-ignore

describe("the hermes tool-call format", () => {
  it.each(CASES)("reads %s", (_what, whole, text, calls) => {
    const parsed = parse([whole]);
    expect(parsed.text).toBe(text);
    expect(parsed.calls.map((one) => [one.name, one.arguments])).toEqual(calls);
  });

  it.each(CASES)("reads the same however it is cut: %s", (_what, whole) => {
    const expected = parse([whole]);
    for (let cut = 0; cut <= whole.length; cut++) expect(parse([whole.slice(0, cut), whole.slice(cut)])).toEqual(expected);
    expect(parse([...whole])).toEqual(expected);
    expect(parse(whole.match(/[^]{1,3}/g) ?? [])).toEqual(expected);
  });

  it("is not confused by random mutations, whatever the cuts", () => {
    let seed = 12345;
    const random = (below: number): number => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) % below;
    const alphabet = ["<tool_call>", "</tool_call>", '{"name": "a", "arguments": ', '{"name": "b"', '"arguments": {', "}", "}}", '"', "\\", "\n", " ", "<", "{", ",", ":", "[", "]", "x", "1", "null"];
    for (let round = 0; round < 3000; round++) {
      const parts = Array.from({ length: 1 + random(12) }, () => alphabet[random(alphabet.length)]!);
      const whole = parts.join("");
      const expected = parse([whole]);
      expect(parse(parts), whole).toEqual(expected);
      expect(parse([...whole]), whole).toEqual(expected);
      expect(expected.text).not.toMatch(/<\/?tool_call>/);
      const bare = (text: string): string => text.replaceAll(/<\/?tool_call>|\s/g, "");
      if (expected.calls.length === 0) expect(bare(expected.text)).toBe(bare(whole));
    }
  });

  it("lets text through at once, except what could begin a marker", () => {
    const parser = hermes.createParser();
    expect(parser.feed("Hello wor")).toEqual([{ type: "text", text: "Hello wor" }]);
    expect(parser.feed("ld <tool")).toEqual([{ type: "text", text: "ld" }]);
    expect(parser.feed("box> x")).toEqual([{ type: "text", text: " <toolbox> x" }]);
  });

  it("names the call as soon as its arguments begin and forwards them as they come", () => {
    const parser = hermes.createParser({ newId: () => "call_1" });
    expect(parser.feed('<tool_call>\n{"name": "type", "argum')).toEqual([]);
    expect(parser.feed('ents": {"te')).toEqual([
      { type: "tool_call", index: 0, id: "call_1", name: "type" },
      { type: "tool_call_arguments", index: 0, delta: '{"te' },
    ]);
    expect(parser.feed('xt": "hel')).toEqual([{ type: "tool_call_arguments", index: 0, delta: 'xt": "hel' }]);
    expect(parser.feed('lo"}}\n</tool_call>')).toEqual([{ type: "tool_call_arguments", index: 0, delta: 'lo"}' }]);
    expect(parser.end()).toEqual([]);
  });

  it("gives every call an id of its own", () => {
    const parser = hermes.createParser();
    const { calls } = join([...parser.feed(call("a", "{}") + call("b", "{}")), ...parser.end()]);
    expect(calls.map(({ id }) => id)).toEqual([expect.stringMatching(/^call_[0-9a-f]{24}$/), expect.stringMatching(/^call_[0-9a-f]{24}$/)]);
    expect(calls[0]!.id).not.toBe(calls[1]!.id);
  });

  it("is found by the marks in a chat template", () => {
    expect(detectToolCallFormat("… <tool_call>\\n{\"name\": <function-name>, … </tool_call>")).toBe(hermes);
    expect(detectToolCallFormat("{% for m in messages %}{{ m.content }}{% endfor %}")).toBeUndefined();
    expect(hermes.matches("<tool_call>\\n<function=example>")).toBe(false);
  });
});
