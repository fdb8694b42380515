import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { checkSchema } from "../../src/engine/grammar/answers.js";
import { Automaton, type State } from "../../src/engine/grammar/automaton.js";
import { allows } from "./support/allows.js";
import { Random, randomRoot } from "./support/random-schemas.js";
import { changed, randomValue } from "./support/random-values.js";

/** Schemas' grammars against ajv, in both directions: what they write is valid, and what is valid they let be written. */
const ajv = new Ajv2020({ strict: false });
const ENDS = new Set([...'"]}'].map((character) => character.charCodeAt(0)));

const POSSIBLE = new WeakMap<State, number[]>();

function possibleBytes(automaton: Automaton, state: State): number[] {
  const known = POSSIBLE.get(state) ?? Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => automaton.step(state, byte) !== null);
  POSSIBLE.set(state, known);
  return known;
}

/** Any byte that may come, one after the other; `undefined` where it does not come to an end. */
function walk(automaton: Automaton, random: Random, longest = 600): string | undefined {
  const bytes: number[] = [];
  for (let state = automaton.start; bytes.length < longest; ) {
    const next = possibleBytes(automaton, state);
    if (next.length === 0 || (state.accepts && random.chance(0.3))) return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(bytes));
    const ends = next.filter((byte) => ENDS.has(byte));
    const byte = ends.length > 0 && random.chance(0.2) ? random.pick(ends) : random.pick(next);
    bytes.push(byte);
    state = automaton.step(state, byte)!;
  }
  return undefined;
}

describe("a schema's grammar, as ajv judges it,", () => {
  it("writes nothing but what is valid", () => {
    let whole = 0;
    for (let seed = 0; seed < 300; seed++) {
      const random = new Random(seed);
      const schema = randomRoot(random);
      const judge = ajv.compile(schema);
      const automaton = new Automaton(allows(schema).root);
      for (let n = 0; n < 10; n++) {
        const text = walk(automaton, random);
        if (text === undefined) continue;
        whole++;
        expect(judge(JSON.parse(text)), `seed ${seed}: ${text} by ${JSON.stringify(schema)}`).toBe(true);
      }
    }
    expect(whole).toBeGreaterThan(2000);
  });

  it("lets be written what is valid, and nothing that is almost so", () => {
    const seen = { valid: 0, invalid: 0 };
    for (let seed = 0; seed < 300; seed++) {
      const random = new Random(seed);
      const schema = randomRoot(random);
      const judge = ajv.compile(schema);
      const grammar = allows(schema);
      for (let n = 0; n < 10; n++) {
        const value = randomValue(random, schema, schema);
        const about = `seed ${seed}: ${JSON.stringify(value)} by ${JSON.stringify(schema)}`;
        expect(judge(value), about).toBe(true);
        seen.valid++;
        expect(grammar(JSON.stringify(value)), about).toBe(true);
        const other = changed(random, value);
        if (judge(other)) continue;
        seen.invalid++;
        expect(grammar(JSON.stringify(other)), `${about}, changed to ${JSON.stringify(other)}`).toBe(false);
      }
    }
    expect(seen.valid).toBe(3000);
    expect(seen.invalid).toBeGreaterThan(1000);
  });
});

describe("a large schema", () => {
  it("of ten thousand values tells each of them apart", () => {
    const values = Array.from({ length: 10_000 }, (_, i) => `value ${i * 7919}`);
    const grammar = allows({ enum: values });
    for (const value of [values[0], values[4999], values[9999]]) expect(grammar(JSON.stringify(value))).toBe(true);
    expect(grammar('"value 1"')).toBe(false);
  });

  it("counts long texts without unrolling them", () => {
    const length = 1_000_000_000;
    expect(allows({ type: "string", maxLength: length })('"abc"')).toBe(true);
    expect(allows({ type: "string", pattern: "^[a-z ]*$", maxLength: length })('"a b"')).toBe(true);
    expect(allows({ type: "array", items: { type: "null" }, maxItems: length })("[null]")).toBe(true);
  });

  it.each([
    ["a pattern beside a length that nothing reaches", { type: "string", pattern: "^(ab)*$", minLength: 1_000_000 }, "/pattern"],
    ["lookaheads that multiply", { type: "string", pattern: Array.from({ length: 40 }, (_, i) => `(?=.*${String.fromCharCode(0x4e00 + i)}.{60}x)`).join("") }, "/pattern"],
    ["a pattern too long", { type: "string", pattern: "a?".repeat(10_000) }, "/pattern"],
  ])("with %s is refused by its path", (_name, schema, path) => {
    expect(() => checkSchema(schema, "schema")).toThrow(expect.objectContaining({ status: 400, param: `schema${path}` }));
  });
});
