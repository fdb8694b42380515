import * as library from "@huggingface/tokenizers";

type PreTokenizer = (text: string, options?: object) => string[];

/** What is used of the library's tokenizer. Its own declarations import without file extensions, which Node's module resolution cannot follow. */
export interface TokenizerCore {
  readonly model: { readonly vocab: readonly string[] };
  readonly pre_tokenizer: PreTokenizer | null;
  encode(text: string, options: { add_special_tokens: boolean }): { ids: number[] };
  decode(ids: number[], options: { skip_special_tokens: boolean; clean_up_tokenization_spaces: boolean }): string;
  token_to_id(token: string): number | undefined;
  id_to_token(id: number): string | undefined;
}

/** Builds a tokenizer from the content of tokenizer.json and tokenizer_config.json; throws when it cannot. */
export function createTokenizerCore(tokenizer: object, config: object): TokenizerCore {
  const { Tokenizer } = library as unknown as { Tokenizer: new (tokenizer: object, config: object) => TokenizerCore };
  return new Tokenizer(tokenizer, config);
}

/**
 * The same tokenizer for text in which `mark` breaks up what must not match as an added token: the mark goes once matching is over, before
 * the text is cut into words.
 */
export function withoutMark(core: TokenizerCore, mark: string): TokenizerCore {
  const cut = core.pre_tokenizer;
  const pre_tokenizer: PreTokenizer = (text, options) => {
    const clean = text.replaceAll(mark, "");
    return cut === null ? [clean] : cut(clean, options);
  };
  return Object.create(core, { pre_tokenizer: { value: pre_tokenizer } }) as TokenizerCore;
}
