import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { Tokenizer } from "../../src/engine/tokenizer/tokenizer.js";
import { goldenJson, goldenPath } from "./support/golden.js";
import { QWEN_DIR } from "./support/qwen-tokenizer.js";
import qwenTokens from "./fixtures/qwen2.5-tokens.json" with { type: "json" };

const TINY_DIR = fileURLToPath(new URL("../../models/tiny", import.meta.url));

/** The smallest tokenizer of the SentencePiece kind: ▁ for spaces, bytes for what is not in the vocabulary. */
const SENTENCE_PIECE = {
  added_tokens: [
    { id: 0, content: "<unk>", special: true },
    { id: 1, content: "<s>", special: true },
    { id: 2, content: "</s>", special: true },
  ],
  normalizer: { type: "Sequence", normalizers: [{ type: "Prepend", prepend: "▁" }, { type: "Replace", pattern: { String: " " }, content: "▁" }] },
  pre_tokenizer: null,
  post_processor: { type: "TemplateProcessing", single: [{ SpecialToken: { id: "<s>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }], pair: [], special_tokens: { "<s>": { id: "<s>", ids: [1], tokens: ["<s>"] } } },
  decoder: { type: "Sequence", decoders: [{ type: "Replace", pattern: { String: "▁" }, content: " " }, { type: "ByteFallback" }, { type: "Fuse" }, { type: "Strip", content: " ", start: 1, stop: 0 }] },
  model: {
    type: "BPE",
    unk_token: "<unk>",
    byte_fallback: true,
    vocab: Object.fromEntries([
      ...["<unk>", "<s>", "</s>"].map((token, id) => [token, id]),
      ...Array.from({ length: 256 }, (_, byte) => [`<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`, 3 + byte]),
      ...["▁", "H", "e", "l", "o", "w", "r", "d", "▁H", "el", "lo"].map((token, i) => [token, 259 + i]),
    ]) as Record<string, number>,
    merges: [["▁", "H"], ["e", "l"], ["l", "o"]],
  },
}; // prettier-ignore

/** All text that a stream gives, checking that no delta ends in half a character. */
function streamed(tokenizer: Tokenizer, ids: readonly number[], skipSpecialTokens: boolean): string {
  const detokenizer = tokenizer.createDetokenizer({ skipSpecialTokens });
  const deltas = ids.map((id) => detokenizer.push(id));
  for (const delta of deltas) expect(delta).not.toMatch(/[\ud800-\udbff]$/);
  return deltas.join("") + detokenizer.flush();
}

describe("Qwen2.5's tokenizer", () => {
  let tokenizer: Tokenizer;
  beforeAll(async () => {
    tokenizer = await Tokenizer.load(QWEN_DIR);
  });

  it("encodes as the Rust tokenizers do", () => {
    expect(qwenTokens.encoded.length).toBeGreaterThan(50);
    for (const { text, ids } of qwenTokens.encoded) expect(tokenizer.encode(text), JSON.stringify(text)).toEqual(ids);
  });

  it("leaves out special tokens, except those asked for", () => {
    const ids = tokenizer.encode("<|im_start|><tool_call>a<|im_end|>");
    expect(tokenizer.decode(ids)).toBe("<tool_call>a");
    expect(tokenizer.decode(ids, { visibleTokens: ["<|im_end|>"] })).toBe("<tool_call>a<|im_end|>");
  });

  it("decodes as the Rust tokenizers do, broken characters and special tokens included", () => {
    expect(qwenTokens.decoded.filter(({ text }) => text.includes("\ufffd")).length).toBeGreaterThan(50);
    for (const { ids, text, skipped } of qwenTokens.decoded) {
      expect(tokenizer.decode(ids, { skipSpecialTokens: false }), JSON.stringify(ids)).toBe(text);
      expect(tokenizer.decode(ids), JSON.stringify(ids)).toBe(skipped);
    }
    for (const { text, ids } of qwenTokens.encoded) expect(tokenizer.decode(ids, { skipSpecialTokens: false })).toBe(text.normalize("NFC"));
  });

  it("streams what the Rust tokenizers decode at once", () => {
    for (const { ids, text, skipped } of qwenTokens.decoded) {
      expect(streamed(tokenizer, ids, false)).toBe(text);
      expect(streamed(tokenizer, ids, true)).toBe(skipped);
    }
    for (const { text, ids } of qwenTokens.encoded) expect(streamed(tokenizer, ids, false)).toBe(text.normalize("NFC"));
  });

  it("holds back a character until its last byte, and nothing else", () => {
    const ids = tokenizer.encode("ab 𐍈🦜日");
    const detokenizer = tokenizer.createDetokenizer();
    let soFar = "";
    for (const [i, id] of ids.entries()) {
      soFar += detokenizer.push(id);
      // What is whole after i tokens: the decoding of all of them without the unfinished end.
      expect(soFar).toBe(tokenizer.decode(ids.slice(0, i + 1)).replace(/\ufffd+$/, ""));
    }
    expect(soFar).toBe("ab 𐍈🦜日");
    expect(detokenizer.flush()).toBe("");
  });

  it("starts anew after a flush", () => {
    const [first] = tokenizer.encode("𐍈");
    const detokenizer = tokenizer.createDetokenizer();
    expect(detokenizer.push(first!)).toBe("");
    expect(detokenizer.flush()).toBe("\ufffd");
    expect(tokenizer.encode("ok").map((id) => detokenizer.push(id)).join("")).toBe("ok"); // prettier-ignore
  });

  it("knows its tokens", () => {
    expect(tokenizer.tokenId("<|image_pad|>")).toBe(151655);
    expect(tokenizer.tokenId("<|no such token|>")).toBeUndefined();
    expect(tokenizer.token(151645)).toBe("<|im_end|>");
    expect(tokenizer.vocabSize).toBe(151665);
    expect(tokenizer.namedTokens).toMatchObject({ eos_token: "<|im_end|>", pad_token: "<|endoftext|>" });
    expect(tokenizer.namedTokens).not.toHaveProperty("bos_token");
    expect(tokenizer.eosTokenIds).toEqual([151645]);
  });

  it("decodes ids beyond the vocabulary, which padded embeddings allow, to nothing", () => {
    expect(tokenizer.decode([151700, ...tokenizer.encode("a"), 151935])).toBe("a");
    expect(streamed(tokenizer, [151700, ...tokenizer.encode("a"), 151935], true)).toBe("a");
  });
});

describe("the golden tokenizers", () => {
  it.each([
    ["models/tiny", TINY_DIR],
    ["qwen3", goldenPath("qwen3/model")],
  ])("of %s encode and decode as the Rust tokenizers do", async (name, dir) => {
    const tokenizer = await Tokenizer.load(dir);
    const rows = (await goldenJson<Record<string, { text: string; token_ids: number[]; decoded: string; decoded_without_special: string }[]>>("tokenizer.json"))[name]!;
    expect(rows.length).toBeGreaterThan(10);
    for (const row of rows) {
      expect(tokenizer.encode(row.text), row.text).toEqual(row.token_ids);
      expect(tokenizer.decode(row.token_ids, { skipSpecialTokens: false })).toBe(row.decoded);
      expect(tokenizer.decode(row.token_ids)).toBe(row.decoded_without_special);
      expect(streamed(tokenizer, row.token_ids, false)).toBe(row.decoded);
    }
  });

  it("streams any sequence of the embedded model's tokens as it decodes it at once", async () => {
    const tokenizer = await Tokenizer.load(TINY_DIR);
    let seed = 4;
    const random = (below: number): number => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) % below;
    for (let round = 0; round < 500; round++) {
      const ids = Array.from({ length: random(20) }, () => random(tokenizer.vocabSize));
      expect(streamed(tokenizer, ids, true)).toBe(tokenizer.decode(ids));
    }
    expect(tokenizer.eosTokenIds).toContain(tokenizer.tokenId("<|im_end|>"));
  });
});

describe("a SentencePiece tokenizer", () => {
  const tokenizer = new Tokenizer({ tokenizer: SENTENCE_PIECE, tokenizerConfig: { bos_token: { content: "<s>" }, eos_token: "</s>" } });

  it("adds its beginning only when asked", () => {
    expect(tokenizer.encode("Hello")).toEqual([267, 268, 269]);
    expect(tokenizer.encode("Hello", { addSpecialTokens: true })).toEqual([1, 267, 268, 269]);
    expect(tokenizer.namedTokens).toEqual({ bos_token: "<s>", eos_token: "</s>" });
    expect(tokenizer.eosTokenIds).toEqual([2]);
  });

  it.each(["Hello world", "Hello  wo rld ", "é 日本 😀 Hello 😀😀", "", " ", "lo\n\nlo"])("streams %j as it decodes it", (text) => {
    const ids = tokenizer.encode(text);
    expect(tokenizer.decode(ids)).toBe(text);
    expect(streamed(tokenizer, ids, true)).toBe(text);
    expect(streamed(tokenizer, [1, ...ids, 2], true)).toBe(text);
    expect(streamed(tokenizer, ids, false)).toBe(text);
  });

  it("emits bytes that are no character instead of waiting for ever", () => {
    const detokenizer = tokenizer.createDetokenizer();
    const text = Array.from({ length: 12 }, () => detokenizer.push(3 + 0xff)).join("");
    expect(text).toMatch(/^\ufffd{8,}$/);
    expect(text + detokenizer.flush()).toBe("\ufffd".repeat(12));
    // An emoji cut short, then text.
    expect(streamed(tokenizer, [3 + 0xf0, 3 + 0x9f, 260, 261], true)).toMatch(/^\ufffd+He$/);
  });
});

describe("Tokenizer.load", () => {
  async function folder(files: Record<string, string>): Promise<string> {
    const dir = await mkdtemp(join(tmpdir(), "deskhand-tokenizer-"));
    for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text);
    return dir;
  }
  const invalid = (message: RegExp): object => ({ code: "invalid_model", message: expect.stringMatching(message) as string });

  it("names the file that is missing or damaged", async () => {
    await expect(Tokenizer.load(await folder({}))).rejects.toMatchObject(invalid(/tokenizer\.json.*missing/));
    await expect(Tokenizer.load(await folder({ "tokenizer.json": '{"model": {' }))).rejects.toMatchObject(invalid(/tokenizer\.json.*syntax error/));
    await expect(Tokenizer.load(await folder({ "tokenizer.json": "[]" }))).rejects.toMatchObject(invalid(/tokenizer\.json/));
    await expect(Tokenizer.load(await folder({ "tokenizer.json": '{"model": {"type": "Nonsense", "vocab": {}}}' }))).rejects.toMatchObject(invalid(/tokenizer\.json.*model\.type/));
    const whole = JSON.stringify(SENTENCE_PIECE);
    await expect(Tokenizer.load(await folder({ "tokenizer.json": whole, "tokenizer_config.json": "{" }))).rejects.toMatchObject(invalid(/tokenizer_config\.json/));
  });

  it("collects what ends a generation from all files that name it", async () => {
    const tokenizer = await Tokenizer.load(
      await folder({
        "tokenizer.json": JSON.stringify(SENTENCE_PIECE),
        "tokenizer_config.json": JSON.stringify({ eos_token: "</s>" }),
        "generation_config.json": JSON.stringify({ eos_token_id: [260, 2] }),
        "config.json": JSON.stringify({ eos_token_id: 261, text_config: { eos_token_id: 262 } }),
      }),
    );
    expect(tokenizer.eosTokenIds).toEqual([260, 2, 261, 262]);
  });

  it("adds the tokens that only tokenizer_config.json has", async () => {
    const tokenizer = await Tokenizer.load(
      await folder({
        "tokenizer.json": JSON.stringify(SENTENCE_PIECE),
        "tokenizer_config.json": JSON.stringify({ added_tokens_decoder: { "300": { content: "<|extra|>", special: true, lstrip: false, rstrip: false, normalized: false, single_word: false } } }),
      }),
    );
    expect(tokenizer.encode("Hello<|extra|>")).toEqual([267, 268, 269, 300]);
    expect(tokenizer.decode([267, 268, 269, 300])).toBe("Hello");
  });

  it("can be cancelled", async () => {
    await expect(Tokenizer.load(QWEN_DIR, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "cancelled" });
  });
});
