import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { Automaton } from "../../src/engine/grammar/automaton.js";
import { allows } from "./support/allows.js";
import { Random } from "./support/random-schemas.js";

/** Patterns and lengths of strings against what JavaScript's own regular expressions and ajv make of them. */
const ajv = new Ajv2020({ strict: false });
const CHARACTERS = ["a", "b", "c", "-", "\n", "é", "😀"];

function randomText(random: Random, longest = 6): string {
  return Array.from({ length: random.int(0, longest) }, () => random.pick(CHARACTERS)).join("");
}

/** A regular expression with everything that can be enforced, anchors and lookaheads in any place. */
function randomPattern(random: Random, depth = 3): string {
  const within = (): string => randomPattern(random, depth - 1);
  const atom = (): string => random.pick(["a", "b", "c", "-", "é", "\\u{1F600}", ".", "[ab]", "[^a]", "\\w", "\\W", "\\s", "[a-c-]", "\\p{L}"]);
  const piece = (): string => {
    const kind = depth <= 0 ? "atom" : random.pick(["atom", "atom", "atom", "group", "ahead", "not ahead", "start", "end"]);
    switch (kind) {
      case "group":
        return `${random.pick(["(", "(?:"])}${within()})${random.pick(["", "", "?", "{0,2}"])}`;
      case "ahead":
        return `(?=${within()})`;
      case "not ahead":
        return `(?!${within()})`;
      case "start":
        return "^";
      case "end":
        return "$";
      default:
        return atom() + random.pick(["", "", "?", "*", "+", "{2}", "{1,3}", "{2,}"]);
    }
  };
  const row = (): string => Array.from({ length: random.int(0, 3) }, piece).join("");
  return Array.from({ length: random.pick([1, 1, 1, 2]) }, row).join("|");
}

describe("a pattern's grammar", () => {
  it("allows the texts that JavaScript finds the pattern in, and no others", () => {
    let found = 0;
    for (let seed = 0; seed < 400; seed++) {
      const random = new Random(seed);
      const pattern = randomPattern(random);
      const judge = new RegExp(pattern, "u");
      const grammar = allows({ type: "string", pattern });
      for (let n = 0; n < 12; n++) {
        const text = randomText(random);
        const isFound = judge.test(text);
        if (isFound) found++;
        expect(grammar(JSON.stringify(text)), `seed ${seed}: ${pattern} in ${JSON.stringify(text)}`).toBe(isFound);
      }
    }
    expect(found).toBeGreaterThan(1000);
    expect(found).toBeLessThan(4000);
  });

  it("goes together with lengths and with further patterns, as ajv judges them", () => {
    let valid = 0;
    for (let seed = 0; seed < 300; seed++) {
      const random = new Random(seed);
      const min = random.int(0, 3);
      const schema = { type: "string", pattern: randomPattern(random, 2), minLength: min, maxLength: min + random.int(0, 3), allOf: [{ pattern: randomPattern(random, 1) }] };
      const judge = ajv.compile(schema);
      const grammar = allows(schema);
      for (let n = 0; n < 12; n++) {
        const text = randomText(random);
        if (judge(text)) valid++;
        expect(grammar(JSON.stringify(text)), `seed ${seed}: ${JSON.stringify(schema)} and ${JSON.stringify(text)}`).toBe(judge(text));
      }
    }
    expect(valid).toBeGreaterThan(300);
  });

  it("never leads where no text ends", () => {
    for (let seed = 0; seed < 200; seed++) {
      const random = new Random(seed);
      const schema = { type: "string", pattern: randomPattern(random), minLength: 1, maxLength: 4 };
      const root = allows(schema).root;
      const automaton = new Automaton(root);
      if (!automaton.isPossible) continue;
      let state = automaton.start;
      // One byte of those that may come, until nothing but the end can.
      for (let n = 0; !state.isFinal && n < 40; n++) {
        const next = Array.from({ length: 256 }, (_, byte) => automaton.step(state, byte)).filter((one) => one !== null);
        expect(next.length > 0 || state.accepts, `seed ${seed}: ${schema.pattern}`).toBe(true);
        if (next.length > 0) state = random.pick(next);
      }
      expect(state.isFinal, `seed ${seed}: ${schema.pattern}`).toBe(true);
    }
  });
});
