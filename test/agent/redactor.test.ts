import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Redactor, type Spelling } from "../../src/agent/safety/redactor.js";

/** Every character that belongs to any occurrence is gone; where occurrences overlap, the longest one's name stands for all. */
function redacted(text: string, spellings: readonly Spelling[]): string {
  const covered = new Array<number>(text.length).fill(0);
  const joined = new Set<number>();
  const found: { start: number; length: number; placeholder: string }[] = [];
  for (const [spelling, placeholder] of spellings) {
    for (let start = 0; start + spelling.length <= text.length; start++) {
      if (text.slice(start, start + spelling.length) !== spelling) continue;
      found.push({ start, length: spelling.length, placeholder });
      for (let at = start; at < start + spelling.length; at++) covered[at]! += 1;
      for (let at = start + 1; at < start + spelling.length; at++) joined.add(at);
    }
  }
  let out = "";
  for (let at = 0; at < text.length; ) {
    if (covered[at] === 0) out += text[at++];
    else {
      const start = at++;
      while (joined.has(at)) at++;
      const inside = found.filter((one) => one.start >= start && one.start < at);
      const longest = Math.max(...inside.map(({ length }) => length));
      out += inside.sort((a, b) => a.start - b.start).find(({ length }) => length === longest)!.placeholder;
    }
  }
  return out;
}

/** Few letters, so that spellings overlap, repeat and begin alike. */
const word = (minLength: number, maxLength: number) => fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength, maxLength });
const spellings = fc.uniqueArray(word(2, 6), { minLength: 1, maxLength: 4 }).map((texts) => texts.map((text, index): Spelling => [text, `{${index}}`]));
/** Texts in which spellings are likely, whole and broken off. */
const withText = spellings.chain((known) => fc.tuple(fc.constant(known), fc.array(fc.oneof(word(0, 4), fc.constantFrom(...known.flatMap(([text]) => [text, text.slice(0, -1), text.slice(1)]))), { maxLength: 8 }).map((parts) => parts.join(""))));

function inPieces(text: string, cuts: readonly number[]): string[] {
  const at = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((start, index) => text.slice(start, at[index] ?? text.length));
}

describe("secrets in a text that comes in pieces", () => {
  it("are kept out of every piece, however the text is cut, and nothing else is changed", () => {
    fc.assert(
      fc.property(withText, fc.array(fc.nat(), { maxLength: 12 }), ([known, text], cuts) => {
        const redactor = new Redactor(known);
        const told = [...inPieces(text, cuts).map((piece) => redactor.push(piece)), redactor.end()].join("");
        expect(told).toBe(redacted(text, known));
        // What is told between two names is a piece of the text, and no spelling is in it.
        expect(told.split(/\{\d\}/).filter((rest) => known.some(([spelling]) => rest.includes(spelling)))).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it("hold back no more than may still become one, and a redactor begins anew after its end", () => {
    const redactor = new Redactor([["hunter22", "{A}"], ["hunting", "{B}"]]);
    expect(["I see hunt", "er", "2", "2 and hunt", "s", " hunti"].map((piece) => redactor.push(piece))).toEqual(["I see ", "", "", "{A} and ", "hunts", " "]);
    expect([redactor.end(), redactor.end(), redactor.push("ng it"), redactor.end()]).toEqual(["hunti", "", "ng it", ""]);
  });

  it("go as one where they overlap, of any length", () => {
    const redactor = new Redactor([["aaaa", "{A}"], ["aab", "{B}"]]);
    const told = [..."xx", ..."a".repeat(1000), ..."b-aab"].map((piece) => redactor.push(piece));
    expect(told.join("") + redactor.end()).toBe("xx{A}-{B}");
  });
});
