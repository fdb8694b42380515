import { describe, expect, it } from "vitest";
import { Automaton, type State } from "../../src/engine/grammar/automaton.js";
import { JSON_NOTATION } from "../../src/engine/grammar/notation.js";
import { SchemaCompiler } from "../../src/engine/grammar/schema.js";
import { SchemaSource } from "../../src/engine/grammar/schema-source.js";
import { Vocabulary } from "../../src/engine/grammar/vocabulary.js";
import { Tokenizer } from "../../src/engine/tokenizer/tokenizer.js";

// Each token of a mask by itself: it may come when the automaton reads all its bytes.

const tokenizer = await Tokenizer.load("models/tiny");
const vocabulary = new Vocabulary(tokenizer, []);
const short = { type: "string", maxLength: 3 };
const TEXTS = ["", "a", "Ünï", "日本", "a b, c", "\\", "\\u00", "long and longer"];

function mayCome(automaton: Automaton, state: State, id: number): boolean {
  const text = vocabulary.textOf(id);
  let at: State | null = state;
  for (let i = 0; at !== null && i < (text?.length ?? 0); i++) at = automaton.step(at, text!.charCodeAt(i));
  return text !== undefined && at !== null;
}

describe("a mask", () => {
  it.each([
    ["a bounded string", { type: "string", maxLength: 12 }],
    ["a string of at least some characters", { type: "string", minLength: 9, maxLength: 11 }],
    ["any string", { type: "string" }],
    ["a short string or a longer one", { anyOf: [short, { type: "string", minLength: 5, maxLength: 7 }] }],
    ["a short string or words", { anyOf: [short, { enum: ["a quick brown fox", "an", "zebra", "日本語"] }] }],
    ["a short string or what follows a pattern", { anyOf: [short, { type: "string", pattern: "^[a-d ]{2,9}$" }] }],
    ["a string or a number", { anyOf: [short, { type: "number" }] }],
    ["two strings", { type: "object", properties: { a: short, b: { type: "string" } }, required: ["a", "b"], additionalProperties: false }],
  ])("of %s holds the tokens that can come, and no others", (_, schema) => {
    const automaton = new Automaton(new SchemaCompiler(new SchemaSource(schema, "schema"), JSON_NOTATION).compile(schema));
    const begin = "type" in schema && schema.type === "object" ? '{"a": "' : '"';
    let asked = 0;
    for (const text of TEXTS) {
      let state: State | null = automaton.start;
      // Where the text breaks off in a character, that is a place as well.
      for (const byte of Buffer.from(begin + text)) {
        state = automaton.step(state, byte);
        if (state === null) break;
        const mask = vocabulary.mask(automaton, state);
        const wrong = Array.from({ length: tokenizer.vocabSize }, (_, id) => id)
          .filter((id) => !tokenizer.eosTokenIds.includes(id) && ((mask[id >> 5]! >> (id & 31)) & 1) !== (mayCome(automaton, state!, id) ? 1 : 0))
          .map((id) => vocabulary.textOf(id));
        expect({ after: begin + text, wrong }).toEqual({ after: begin + text, wrong: [] });
        asked++;
      }
    }
    expect(asked).toBeGreaterThan(8);
  });
});
