import { describe, expect, it } from "vitest";
import { SpecialTokenShield } from "../../src/engine/tokenizer/special-token-shield.js";
import { Tokenizer } from "../../src/engine/tokenizer/tokenizer.js";
import { goldenJson } from "./support/golden.js";
import { PUBLISHED_TOKENIZERS } from "./support/published-tokenizers.js";

/** What the Rust tokenizers answer: `decoded` where it is not the text, `skipped` (special tokens left out) where it is not `decoded`, `plain` (special tokens not matched) where it is not `ids`. */
interface Row {
  ids: number[];
  decoded?: string;
  skipped?: string;
  plain?: number[];
}

interface Golden {
  texts: string[];
  tokenizers: Record<string, { rows: Row[]; with_beginning: number[]; sequences: { ids: number[]; text: string }[] }>;
}

const golden = await goldenJson<Golden>("published-tokenizers/tokenizers.json");

/** The text of a stream of ids, of which no part ends in half a character. */
function streamed(tokenizer: Tokenizer, ids: readonly number[], skipSpecialTokens: boolean): string {
  const detokenizer = tokenizer.createDetokenizer({ skipSpecialTokens });
  const deltas = ids.map((id) => detokenizer.push(id));
  for (const delta of deltas) expect(delta).not.toMatch(/[\ud800-\udbff]$/);
  return deltas.join("") + detokenizer.flush();
}

it("every published tokenizer has answers of the Rust tokenizers", () => {
  expect(Object.keys(golden.tokenizers).sort()).toEqual(Object.keys(PUBLISHED_TOKENIZERS).sort());
  expect(golden.texts.length).toBeGreaterThan(120);
});

describe.each(Object.keys(PUBLISHED_TOKENIZERS))("the tokenizer %s", (name) => {
  const tokenizer = new Tokenizer(PUBLISHED_TOKENIZERS[name]!());
  const answers = golden.tokenizers[name]!;
  const rows = answers.rows.map((row, index) => ({ text: golden.texts[index]!, ...row }));

  it("reads a long text part by part as it reads it whole", async () => {
    const texts = golden.texts.filter((text) => !tokenizer.specialTokens.some((special) => text.includes(special)));
    const long = Array.from({ length: 4000 }, (_, i) => (i % 40 === 0 ? texts[(i / 40) % texts.length]! : `${["word", "Kühe", "3.14159", "don't", "表示", "x=1;"][i % 6]!}${i % 7 === 0 ? "\n" : ""}`)).join(" ");
    // First, since what is read as a whole is remembered.
    const gently = await tokenizer.encodeGently(long);
    expect(gently).toEqual(tokenizer.encode(long));
  });

  it("encodes as the Rust tokenizers do", () => {
    for (const { text, ids } of rows) expect(tokenizer.encode(text), JSON.stringify(text)).toEqual(ids);
    expect(tokenizer.encode("Hi", { addSpecialTokens: true })).toEqual(answers.with_beginning);
  });

  it("decodes as the Rust tokenizers do, at once and as a stream", () => {
    for (const { text, ids, decoded = text, skipped = decoded } of rows) {
      expect(tokenizer.decode(ids, { skipSpecialTokens: false }), JSON.stringify(text)).toBe(decoded);
      expect(tokenizer.decode(ids), JSON.stringify(text)).toBe(skipped);
      expect(streamed(tokenizer, ids, false)).toBe(decoded);
      expect(streamed(tokenizer, ids, true)).toBe(skipped);
    }
  });

  it("decodes characters in pieces and bytes that are none", () => {
    expect(answers.sequences.some(({ text }) => text.includes("\ufffd"))).toBe(true);
    for (const { ids, text } of answers.sequences) {
      expect(tokenizer.decode(ids, { skipSpecialTokens: false }), JSON.stringify(ids)).toBe(text);
      expect(streamed(tokenizer, ids, false), JSON.stringify(ids)).toBe(text);
    }
  });

  it("takes special tokens that a client's text spells for text, as the Rust tokenizers with special matching off", () => {
    expect(rows.some(({ plain }) => plain !== undefined)).toBe(true);
    for (const { text, ids, plain = ids } of rows) {
      const shield = new SpecialTokenShield(tokenizer.specialTokens, [text]);
      expect(tokenizer.encode(shield.protect(text), { mark: shield.mark }), JSON.stringify(text)).toEqual(plain);
    }
  });
});
