import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { readCall, readLiteral } from "../../src/agent/dialects/python-literals.js";

const LITERALS = [
  `'plain'`,
  `"it's"`,
  `'say \\'hi\\' and \\"ho\\"'`,
  `'a\\nb\\tc\\\\n\\x41\\u00e9\\U0001F600'`,
  `'\\q \\d+'`,
  `"""two\nlines 'and' "marks" """`,
  `''`,
  `'  trailing spaces  '`,
  `[1, -2.5, .5, 1e3, 3.,]`,
  `(0.25, 0.75)`,
  `{'action': 'CLICK', 'value': None, 'position': [0.1, 0.2]}`,
  `{"a": True, 'b': {'c': False}, }`,
  `{}`,
  `[]`,
];

describe("Python literals", () => {
  it("mean what Python makes of them", () => {
    const python = execFileSync("python3", ["-c", "import ast,json,sys\nprint(json.dumps([ast.literal_eval(t) for t in json.load(sys.stdin)]))"], { input: JSON.stringify(LITERALS), encoding: "utf8" });
    expect(LITERALS.map((text) => readLiteral(text, 0).value)).toEqual(JSON.parse(python));
  });

  it("are read in calls, by position and by name", () => {
    expect(readCall("x = pyautogui.click(10, y=20, text='a, b) c')  # now", 4)).toEqual({ value: { name: "click", positional: [10], named: { y: 20, text: "a, b) c" } }, end: 45 });
  });

  it.each([
    [`type(content='it's here')`, "it's here"],
    [`type(content='print('hello')')`, "print('hello')"],
    [`type(content='don't (yet)\\n')`, "don't (yet)\n"],
    [`type(content="a "quoted" word")`, 'a "quoted" word'],
  ])("may hold marks that should have been escaped, where that is clear: %s", (text, content) => {
    expect(readCall(text, 0).value.named["content"]).toBe(content);
  });

  it.each([`type(content='a', 'b' c)`, "click(", "click(x=)", "click(x=1", "click x", "f(x=1, x=2)", "f(name)", "f('\\uD83D\\UFFFFFFFF')", "['a', b]", "{1: 2}", "f('abc"])("are refused when they are none: %s", (text) => {
    expect(() => (text.startsWith("[") || text.startsWith("{") ? readLiteral(text, 0) : readCall(text, 0))).toThrow(expect.objectContaining({ code: "model_output" }));
  });
});
