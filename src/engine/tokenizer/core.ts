import * as library from "@huggingface/tokenizers";
import { PieceMemo } from "./piece-memo.js";

type PreTokenizer = (text: string, options?: { section_index?: number }) => string[];

/** What makes tokens of words; it has fields of its own too. */
interface WordModel {
  (words: readonly string[] | Piece): readonly string[];
  readonly vocab: readonly string[];
}

/** What stands between added tokens. */
export type Piece = readonly [place: string, text: string];

/** What is used of the library's tokenizer. Its own declarations import without file extensions, which Node's module resolution cannot follow. */
export interface TokenizerCore {
  readonly model: WordModel;
  /** Cuts a piece between added tokens into words. */
  readonly pre_tokenizer: PreTokenizer | null;
  encode(text: string, options: { add_special_tokens: boolean }): { ids: number[] };
  /** The tokens of a piece, as they are found anew. */
  read(piece: Piece): readonly string[];
  /** Whether those are remembered. */
  remembers(piece: Piece): boolean;
  decode(ids: number[], options: { skip_special_tokens: boolean; clean_up_tokenization_spaces: boolean }): string;
  token_to_id(token: string): number | undefined;
  id_to_token(id: number): string | undefined;
}

/** Builds a tokenizer from the content of tokenizer.json and tokenizer_config.json; throws when it cannot. */
export function createTokenizerCore(tokenizer: object, config: object): TokenizerCore {
  const { Tokenizer } = library as unknown as { Tokenizer: new (tokenizer: object, config: object) => TokenizerCore };
  return remembering(new Tokenizer(tokenizer, config));
}

/** Of all that stands around a piece, some tokenizers ask whether it is the text's first. */
const FIRST = "1";
export const LATER = "0";

/** The same tokenizer, which remembers what became of pieces: cutting one and making tokens of its words is one step then. */
function remembering(core: TokenizerCore): TokenizerCore {
  const memo = new PieceMemo();
  const { model, pre_tokenizer: cut } = core;
  const whole: PreTokenizer = (text, { section_index: index } = {}) => [index === 0 ? FIRST : LATER, text];
  const read = ([place, text]: Piece): readonly string[] => model(cut === null ? [text] : cut(text, { section_index: place === FIRST ? 0 : 1 }));
  const tokensOf = (piece: Piece): readonly string[] => memo.get(piece.join(""), () => read(piece));
  const remembers = (piece: Piece): boolean => memo.has(piece.join(""));
  return Object.create(core, { pre_tokenizer: { value: whole }, model: { value: Object.setPrototypeOf(tokensOf, model) as WordModel }, read: { value: read }, remembers: { value: remembers } }) as TokenizerCore;
}

/**
 * The same tokenizer for text in which `mark` breaks up what must not match as an added token: the mark goes once matching is over, before
 * the text is cut into words.
 */
export function withoutMark(core: TokenizerCore, mark: string): TokenizerCore {
  const cut = core.pre_tokenizer!;
  const pre_tokenizer: PreTokenizer = (text, options) => cut(text.replaceAll(mark, ""), options);
  return Object.create(core, { pre_tokenizer: { value: pre_tokenizer } }) as TokenizerCore;
}
