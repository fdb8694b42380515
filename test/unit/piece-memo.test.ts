import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it, vi } from "vitest";
import { PieceMemo } from "../../src/engine/tokenizer/piece-memo.js";
import { SpecialTokenShield } from "../../src/engine/tokenizer/special-token-shield.js";
import { Tokenizer } from "../../src/engine/tokenizer/tokenizer.js";
import { goldenJson } from "./support/golden.js";
import { PUBLISHED_TOKENIZERS } from "./support/published-tokenizers.js";

const TINY_DIR = fileURLToPath(new URL("../../models/tiny", import.meta.url));
const TURNS = 12;

const { texts } = await goldenJson<{ texts: string[] }>("published-tokenizers/tokenizers.json");
afterEach(() => vi.restoreAllMocks());

/** What `body` gives when nothing is remembered. */
function forgetful<T>(body: () => T): T {
  const get = vi.spyOn(PieceMemo.prototype, "get").mockImplementation((_, make) => make());
  try {
    return body();
  } finally {
    get.mockRestore();
  }
}

/** Conversations that grow by special tokens and texts, some of them protected; each turn is tokenised whole. */
function expectSameAsWhole(tokenizer: Tokenizer, seed: number): void {
  let state = seed;
  const pick = <T>(from: readonly T[]): T => from[(state = (state * 48271) % 2147483647) % from.length]!;
  const shield = new SpecialTokenShield(tokenizer.specialTokens, texts);
  let text = "";
  for (let turn = 0; turn < TURNS; turn++) {
    for (let i = 0; i < 3; i++) text += pick(tokenizer.specialTokens) + shield.protect(pick(texts) + pick(["", " ", pick(tokenizer.specialTokens)])) + pick(texts);
    for (const options of [{ mark: shield.mark }, { addSpecialTokens: true }]) expect(tokenizer.encode(text, options)).toEqual(forgetful(() => tokenizer.encode(text, options)));
  }
}

describe.each(Object.keys(PUBLISHED_TOKENIZERS))("what the tokenizer %s remembers of pieces", (name) => {
  it("gives the tokens that the whole text has", () => {
    const tokenizer = new Tokenizer(PUBLISHED_TOKENIZERS[name]!());
    for (const seed of [1, 2]) expectSameAsWhole(tokenizer, seed);
  });
});

describe("what the embedded model's tokenizer remembers of pieces", () => {
  it("gives the tokens that the whole text has", async () => {
    const tokenizer = await Tokenizer.load(TINY_DIR);
    for (const seed of [1, 2, 3, 4]) expectSameAsWhole(tokenizer, seed);
  });

  it("leaves of a turn only what is new to be tokenised", async () => {
    const tokenizer = await Tokenizer.load(TINY_DIR);
    let made: string[] = [];
    const get = Object.getOwnPropertyDescriptor(PieceMemo.prototype, "get")!.value as (this: PieceMemo, key: string, make: () => readonly string[]) => readonly string[];
    vi.spyOn(PieceMemo.prototype, "get").mockImplementation(function (this: PieceMemo, key, make) {
      return get.call(this, key, () => {
        made.push(key.slice(1));
        return make();
      });
    });
    let text = "";
    for (let step = 1; step <= 50; step++) {
      made = [];
      const turn = [`user\nstep ${step}: `, `assistant\nclick ${step}`];
      text += `<|im_start|>${turn[0]}<|vision_start|><|image_pad|><|vision_end|><|im_end|><|im_start|>${turn[1]}<|im_end|>`;
      tokenizer.encode(text);
      expect(made).toEqual(turn);
    }
  });
});

describe("the memory of pieces", () => {
  it("is bounded, keeps what was used lately, and nothing that is too long", () => {
    const memo = new PieceMemo();
    const made: string[] = [];
    const ask = (key: string): readonly string[] =>
      memo.get(key, () => {
        made.push(key);
        return [key];
      });
    const long = "x".repeat(2 ** 17);
    expect([ask(long), ask(long)]).toEqual([[long], [long]]);
    expect([made.splice(0).length, memo.characters]).toEqual([2, 0]);
    const piece = (i: number): string => String(i).padEnd(2 ** 15, ".");
    for (let i = 0; i < 100; i++) {
      ask(piece(0));
      ask(piece(i));
    }
    expect(memo.characters).toBe(2 ** 21);
    expect(made.splice(0)).toEqual(Array.from({ length: 100 }, (_, i) => piece(i)));
    ask(piece(0));
    ask(piece(99));
    ask(piece(1));
    expect(made).toEqual([piece(1)]);
  });
});
