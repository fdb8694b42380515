import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { z } from "zod";
import { DeskhandError, messageOf, throwIfAborted } from "../../core/errors.js";
import { parseWith, readJson } from "../../core/json.js";
import { pathExists } from "../hub/path-exists.js";
import { preTokenizerAsRust, swallowSpace, withoutSwallowing } from "./as-rust.js";
import { createTokenizerCore, withoutMark, type TokenizerCore } from "./core.js";
import { piecesOf, SPACE, type Pieces } from "./pieces.js";
import { readAhead, withKnown, type KnownPieces } from "./read-ahead.js";
import { ByteDetokenizer, WindowDetokenizer, type StreamingDetokenizer, type TokenPiece } from "./streaming-detokenizer.js";

const flag = z.boolean().optional();
const addedToken = z.looseObject({ id: z.number().int().nonnegative(), content: z.string(), special: z.boolean().default(false), lstrip: flag, rstrip: flag, normalized: flag });
const decoderConfig = z.looseObject({ type: z.string(), decoders: z.array(z.looseObject({ type: z.string() })).optional() });

const tokenizerSchema = z.looseObject({
  added_tokens: z.array(addedToken).default([]),
  normalizer: z.unknown().default(null),
  pre_tokenizer: z.unknown().default(null),
  post_processor: z.unknown().default(null),
  decoder: decoderConfig.nullable().default(null),
  model: z.looseObject({
    type: z.enum(["BPE", "Unigram", "WordPiece"], "only BPE, Unigram and WordPiece are supported"),
    // Checking 150,000 entries one by one would cost more than it finds: what is wrong inside shows when the tokenizer is built.
    vocab: z.custom<object>((value) => typeof value === "object" && value !== null, "expected the vocabulary"),
  }),
});

const tokenText = z.union([z.string(), z.object({ content: z.string() }).transform(({ content }) => content)]);
const configSchema = z.looseObject({ added_tokens_decoder: z.record(z.string(), z.looseObject({ content: z.string() })).optional() });

const eosIds = z.union([z.number().int(), z.array(z.number().int())]).nullish();
const eosSchema = z.looseObject({ eos_token_id: eosIds, text_config: z.looseObject({ eos_token_id: eosIds }).nullish() });

export interface DecodeOptions {
  /** Leave out tokens marked special (`<|im_end|>`); `<tool_call>` and its like stay, because they are not. */
  skipSpecialTokens?: boolean;
  /** Special tokens that stay all the same, e.g. the marks of tool calls while those are being read. */
  visibleTokens?: readonly string[];
}

export interface EncodeOptions {
  addSpecialTokens?: boolean;
  mark?: string;
  known?: KnownPieces;
}

/** A model's tokenizer, from its `tokenizer.json`. */
export class Tokenizer {
  /** Named special tokens of tokenizer_config.json (`eos_token` → `<|im_end|>`), as chat templates know them. */
  readonly namedTokens: Readonly<Record<string, string>>;
  /** Ids that end a generation: every one that generation_config.json, config.json or tokenizer_config.json names. */
  readonly eosTokenIds: readonly number[];
  /** One more than the highest id. The model's embedding may have more rows: those ids decode to nothing. */
  readonly vocabSize: number;

  /** What tokens marked special spell (`<|im_end|>`). */
  readonly specialTokens: readonly string[];
  readonly specialTokenIds: ReadonlySet<number>;

  private readonly core: TokenizerCore;
  private readonly swallowSpace: (text: string) => string;
  private readonly added: ReadonlyMap<number, { content: string; special: boolean }>;
  private readonly style: Pieces | undefined;
  private readonly pieces: TokenPiece[] = [];

  /** @param files the parsed JSON files; `origin` names them in errors. Building a vocabulary of 150,000 takes about a second. */
  constructor(files: { tokenizer: unknown; tokenizerConfig?: unknown; generationConfig?: unknown; config?: unknown }, origin = "tokenizer.json") {
    const tokenizer = parseWith(tokenizerSchema, files.tokenizer, origin, "invalid_model");
    const config = parseWith(configSchema, files.tokenizerConfig ?? {}, `tokenizer_config.json beside ${origin}`, "invalid_model");
    // transformers adds the tokens of tokenizer_config.json that tokenizer.json lacks.
    const known = new Set(tokenizer.added_tokens.map(({ id }) => id));
    for (const [id, token] of Object.entries(config.added_tokens_decoder ?? {})) {
      if (!known.has(Number(id))) tokenizer.added_tokens.push(parseWith(addedToken, { ...token, id: Number(id) }, `added_tokens_decoder.${id} beside ${origin}`, "invalid_model"));
    }
    this.swallowSpace = swallowSpace(tokenizer.added_tokens);
    try {
      this.core = createTokenizerCore({ ...tokenizer, added_tokens: tokenizer.added_tokens.map(withoutSwallowing), pre_tokenizer: preTokenizerAsRust(tokenizer.pre_tokenizer) }, config);
    } catch (cause) {
      throw new DeskhandError("invalid_model", `Expected a tokenizer that can be built from ${origin} but received: ${messageOf(cause)}. Download the model's files again.`, { cause });
    }
    this.added = new Map(tokenizer.added_tokens.map(({ id, content, special }) => [id, { content, special }]));
    this.specialTokenIds = new Set(tokenizer.added_tokens.filter(({ special }) => special).map(({ id }) => id));
    this.specialTokens = tokenizer.added_tokens.filter(({ special }) => special).map(({ content }) => content);
    this.style = piecesOf(tokenizer.decoder);
    this.vocabSize = this.core.model.vocab.length;
    this.namedTokens = namedTokens(config);
    this.eosTokenIds = this.collectEos(files);
  }

  /**
   * Loads the tokenizer of a model folder.
   * @throws DeskhandError `invalid_model` naming the file that is missing or damaged.
   */
  static async load(dir: string, { signal }: { signal?: AbortSignal } = {}): Promise<Tokenizer> {
    const origin = join(dir, "tokenizer.json");
    if (!(await pathExists(origin))) {
      throw new DeskhandError("invalid_model", `Expected tokenizer.json in ${dir}, but it is missing. Take it from the model's repository; a folder with tokenizer.model alone has to be converted with transformers first.`);
    }
    const optional = async (name: string): Promise<unknown> => ((await pathExists(join(dir, name))) ? readJson(join(dir, name)) : undefined);
    const tokenizer = await readJson(origin);
    const [tokenizerConfig, generationConfig, config] = await Promise.all(["tokenizer_config.json", "generation_config.json", "config.json"].map(optional));
    // Building a large vocabulary blocks for a while: let what is waiting run first.
    await nextTurn();
    throwIfAborted(signal);
    return new Tokenizer({ tokenizer, tokenizerConfig, generationConfig, config }, origin);
  }

  /**
   * @param options.addSpecialTokens let the tokenizer add its own beginning (`<bos>`); off for text made by a chat template, which writes it itself.
   * @param options.mark of the `SpecialTokenShield` that protected parts of the text.
   * @param options.known what `readAhead` found in it.
   */
  encode(text: string, { addSpecialTokens = false, mark, known = new Map() }: EncodeOptions = {}): number[] {
    const core = withKnown(this.coreFor(text, mark), known);
    return core.encode(this.swallowSpace(text), { add_special_tokens: addSpecialTokens }).ids;
  }

  /** As `encode`, giving way to others while it reads a long text. @throws DeskhandError `cancelled` */
  async encodeGently(text: string, { signal, ...options }: EncodeOptions & { signal?: AbortSignal } = {}): Promise<number[]> {
    return this.encode(text, { ...options, known: await this.readAhead(text, { ...options, signal }) });
  }

  /** What makes `encode` of this text, or of one that has the same pieces between special tokens, short; others get their turns meanwhile. */
  async readAhead(text: string, { mark, signal }: Pick<EncodeOptions, "mark"> & { signal?: AbortSignal } = {}): Promise<KnownPieces> {
    return readAhead(this.coreFor(text, mark), this.swallowSpace(text), signal);
  }

  /**
   * Text of all ids, exactly as a `createDetokenizer` would give it piece by piece. Spaces are never "cleaned up", and bytes that are no
   * character become U+FFFD as Unicode recommends.
   */
  decode(ids: readonly number[], options: DecodeOptions = {}): string {
    if (this.style === undefined) return this.decodeWhole(ids.filter((id) => !this.isSkipped(id, options)));
    const detokenizer = this.createDetokenizer(options);
    return ids.map((id) => detokenizer.push(id)).join("") + detokenizer.flush();
  }

  createDetokenizer(options: DecodeOptions = {}): StreamingDetokenizer {
    const style = this.style;
    if (style !== undefined) return new ByteDetokenizer((id) => (this.isSkipped(id, options) ? undefined : this.pieceOf(id, style)), style.stripsFirstSpace);
    return new WindowDetokenizer(
      (ids) => this.decodeWhole(ids),
      (id) => this.isSkipped(id, options),
    );
  }

  /** The id of a token, in the vocabulary's own spelling. */
  tokenId(token: string): number | undefined {
    return this.core.token_to_id(token);
  }

  /** The token of an id, in the vocabulary's own spelling (`Ġhello`). */
  token(id: number): string | undefined {
    return this.core.id_to_token(id);
  }

  /** The UTF-8 bytes a token stands for in the middle of a text, special tokens' own spelling included; none for ids without a token. */
  bytesOf(id: number): Uint8Array {
    const token = this.core.id_to_token(id);
    if (token === undefined) return new Uint8Array();
    const piece = this.style === undefined ? (this.added.get(id)?.content ?? token.replaceAll(SPACE, " ")) : this.pieceOf(id, this.style);
    return typeof piece === "string" ? new TextEncoder().encode(piece) : (piece ?? new Uint8Array());
  }

  private coreFor(text: string, mark: string | undefined): TokenizerCore {
    return mark !== undefined && text.includes(mark) ? withoutMark(this.core, mark) : this.core;
  }

  private isSkipped(id: number, { skipSpecialTokens = true, visibleTokens = [] }: DecodeOptions): boolean {
    const added = this.added.get(id);
    return (skipSpecialTokens && added?.special === true && !visibleTokens.includes(added.content)) || this.core.id_to_token(id) === undefined;
  }

  private pieceOf(id: number, style: Pieces): TokenPiece {
    const added = this.added.get(id)?.content;
    return (this.pieces[id] ??= style.pieceOf(added ?? this.core.id_to_token(id)!, added !== undefined));
  }

  private decodeWhole(ids: number[]): string {
    return ids.length === 0 ? "" : this.core.decode(ids, { skip_special_tokens: false, clean_up_tokenization_spaces: false });
  }

  private collectEos({ generationConfig, config }: { generationConfig?: unknown; config?: unknown }): number[] {
    const generation = parseWith(eosSchema, generationConfig ?? {}, "generation_config.json", "invalid_model");
    const model = parseWith(eosSchema, config ?? {}, "config.json", "invalid_model");
    const named = this.namedTokens["eos_token"];
    const ids = [generation.eos_token_id, model.eos_token_id, model.text_config?.eos_token_id, named === undefined ? undefined : this.tokenId(named)];
    return [...new Set(ids.flat().filter((id) => typeof id === "number"))];
  }
}

function namedTokens(config: Record<string, unknown>): Record<string, string> {
  const named: Record<string, string> = {};
  for (const [key, value] of Object.entries(config)) {
    const text = key.endsWith("_token") ? tokenText.safeParse(value) : undefined;
    if (text?.success) named[key] = text.data;
  }
  return named;
}
