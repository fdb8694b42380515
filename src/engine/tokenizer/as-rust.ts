/** One word of GPT-2's cutting, with the white space that Unicode knows. */
const GPT2_WORDS = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/**
 * A `pre_tokenizer` of tokenizer.json in words that the library cuts by as the Rust tokenizers do. As it stands it takes JavaScript's white
 * space in GPT-2's pattern (with U+FEFF, without U+0085) and only ten digits for `Digits` (the Rust one isolates ½, ² and Ⅷ too); a pattern
 * written out in `Split` it reads as Unicode means it.
 */
export function preTokenizerAsRust(config: unknown): unknown {
  if (!isConfig(config)) return config;
  if (config["type"] === "Sequence" && Array.isArray(config["pretokenizers"])) {
    return { ...config, pretokenizers: config["pretokenizers"].map(preTokenizerAsRust) };
  }
  if (config["type"] === "Digits") return split(config["individual_digits"] === true ? "\\p{N}" : "\\p{N}+");
  if (config["type"] === "ByteLevel" && config["use_regex"] !== false && config["add_prefix_space"] !== true) {
    return { type: "Sequence", pretokenizers: [split(GPT2_WORDS), { ...config, use_regex: false }] };
  }
  return config;
}

export interface AddedToken {
  content: string;
  special: boolean;
  lstrip?: boolean;
  rstrip?: boolean;
  normalized?: boolean;
}

/**
 * Takes away the white space that added tokens swallow (Phi-3's `<|user|>` the line break behind it), which is then not left to the library:
 * it takes JavaScript's white space, to which a byte order mark belongs.
 */
export function swallowSpace(tokens: readonly AddedToken[]): (text: string) => string {
  const spellings = (side: "lstrip" | "rstrip"): string => tokens.filter((token) => token[side] && isMatchedAsWritten(token)).map(({ content }) => escapeRegExp(content)).join("|"); // prettier-ignore
  const before = spellings("lstrip");
  const behind = spellings("rstrip");
  return (text) => {
    const rest = behind === "" ? text : text.replaceAll(new RegExp(`(${behind})\\p{White_Space}+`, "gu"), "$1");
    return before === "" ? rest : rest.replaceAll(new RegExp(`\\p{White_Space}+(${before})`, "gu"), "$1");
  };
}

/** The token without what `swallowSpace` does for it. */
export function withoutSwallowing<Token extends AddedToken>(token: Token): Token {
  return isMatchedAsWritten(token) ? { ...token, lstrip: false, rstrip: false } : token;
}

/** Others are looked for in the normalised text. */
function isMatchedAsWritten({ special, normalized = !special }: AddedToken): boolean {
  return !normalized;
}

function split(Regex: string): object {
  return { type: "Split", pattern: { Regex }, behavior: "Isolated", invert: false };
}

function isConfig(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function escapeRegExp(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}
