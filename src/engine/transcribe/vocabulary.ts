import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { DeskhandError } from "../../core/errors.js";
import { parseWith, readJson } from "../../core/json.js";
import type { WhisperConfig } from "../models/whisper/config.js";
import { Tokenizer } from "../tokenizer/tokenizer.js";

/** The smallest vocabulary that has every language's token in use (OpenAI's own test for a multilingual model). */
const MULTILINGUAL_VOCABULARY = 51_865;
/** One second: how late the first words of a window may begin (OpenAI's default). */
const MAX_INITIAL_TIMESTAMP = 50;

const id = z.number().int().nonnegative();
const GenerationConfig = z.object({
  is_multilingual: z.boolean().nullish(),
  suppress_tokens: z.array(z.number().int()).nullish(),
  begin_suppress_tokens: z.array(z.number().int()).nullish(),
  max_initial_timestamp_index: id.nullish(),
  alignment_heads: z.array(z.tuple([id, id])).nullish(),
  lang_to_id: z.record(z.string(), id).nullish(),
});

/** A Whisper model's tokens: what its special ones are, and what its generation_config.json says of them. */
export class WhisperVocabulary {
  readonly tokenizer: Tokenizer;
  /** Whether it knows more languages than English, and can translate. */
  readonly multilingual: boolean;
  /** Language codes (`en`) and their tokens; empty when it is not multilingual. */
  readonly languages: ReadonlyMap<string, number>;
  readonly startOfTranscript: number;
  readonly startOfPrevious: number;
  readonly transcribe: number;
  readonly translate: number;
  readonly noSpeech: number;
  readonly noTimestamps: number;
  /** The first that is no text: every special token and timestamp comes after. */
  readonly endOfText: number;
  /** Tokens never generated. */
  readonly suppressed: readonly number[];
  /** Tokens with which no window begins. */
  readonly suppressedFirst: readonly number[];
  readonly maxInitialTimestamp: number;
  /** `[layer, head]` of the attention that follows the sound. */
  readonly alignmentHeads: readonly (readonly [number, number])[];

  private constructor(tokenizer: Tokenizer, generation: z.output<typeof GenerationConfig>, model: WhisperConfig, dir: string) {
    const token = (...names: string[]): number => {
      const found = names.map((name) => tokenizer.tokenId(name)).find((value) => value !== undefined);
      if (found === undefined) throw new DeskhandError("invalid_model", `Expected the tokenizer in ${dir} to have the token ${names.join(" or ")} but it has none. Take tokenizer.json from the model's repository.`);
      return found;
    };
    this.tokenizer = tokenizer;
    this.endOfText = token("<|endoftext|>");
    this.startOfTranscript = token("<|startoftranscript|>");
    this.startOfPrevious = token("<|startofprev|>");
    this.transcribe = token("<|transcribe|>");
    this.translate = token("<|translate|>");
    this.noSpeech = token("<|nospeech|>", "<|nocaptions|>");
    this.noTimestamps = token("<|notimestamps|>");
    this.multilingual = generation.is_multilingual ?? model.vocab_size >= MULTILINGUAL_VOCABULARY;
    this.languages = this.multilingual ? languagesOf(tokenizer, generation.lang_to_id, [this.startOfTranscript, this.translate]) : new Map();
    const hidden = [this.startOfTranscript, this.startOfPrevious, tokenizer.tokenId("<|startoflm|>") ?? -1, this.transcribe, this.translate, this.noSpeech, this.noTimestamps];
    // Some configs have -1 for none.
    const tokensOf = (ids: readonly number[]): number[] => [...new Set(ids)].filter((one) => one >= 0);
    this.suppressed = tokensOf([...(generation.suppress_tokens ?? []), ...hidden]);
    this.suppressedFirst = tokensOf(generation.begin_suppress_tokens ?? [...tokenizer.encode(" "), this.endOfText]);
    this.maxInitialTimestamp = generation.max_initial_timestamp_index ?? MAX_INITIAL_TIMESTAMP;
    this.alignmentHeads = generation.alignment_heads ?? laterHalf(model);
    const wrong = this.alignmentHeads.find(([layer, head]) => layer >= model.decoder_layers || head >= model.decoder_attention_heads);
    if (wrong) throw new DeskhandError("invalid_model", `Expected alignment_heads in ${dir} to lie within ${model.decoder_layers} layers of ${model.decoder_attention_heads} heads but received [${wrong.join(", ")}]. Does generation_config.json belong to this model?`);
  }

  /** @throws DeskhandError `invalid_model` when files are missing or do not fit each other. */
  static async load(dir: string, model: WhisperConfig, { signal }: { signal?: AbortSignal } = {}): Promise<WhisperVocabulary> {
    if (!existsSync(join(dir, "tokenizer.json"))) {
      throw new DeskhandError("invalid_model", `Expected tokenizer.json in ${dir} but it is missing: mlx-whisper's folders come without one. Copy tokenizer.json and generation_config.json from the model of the same size by openai, or use a folder whose name says asr.`);
    }
    const path = join(dir, "generation_config.json");
    const generation = parseWith(GenerationConfig, existsSync(path) ? await readJson(path) : {}, path, "invalid_model");
    return new WhisperVocabulary(await Tokenizer.load(dir, { signal }), generation, model, dir);
  }

  /** The token for 0.00 s. The one for n · 20 ms is n more. */
  get firstTimestamp(): number {
    return this.noTimestamps + 1;
  }

  /** Text of the tokens that are text. */
  textOf(tokens: readonly number[]): string {
    return this.tokenizer.decode(tokens.filter((token) => token < this.endOfText));
  }

  /**
   * The code of a language, given as such, as its token or by its English name.
   * @throws DeskhandError `invalid_argument` naming the languages the model knows.
   */
  languageCode(language: string): string {
    const wanted = language.trim().toLowerCase().replace(/^<\|(.*)\|>$/, "$1");
    const codes = this.multilingual ? [...this.languages.keys()] : ["en"];
    const names = new Intl.DisplayNames("en", { type: "language" });
    const code = codes.find((one) => one === wanted || names.of(one)?.toLowerCase() === wanted);
    if (code !== undefined) return code;
    throw new DeskhandError("invalid_argument", `Expected a language this model knows but received "${language}". It knows ${codes.join(", ")}.`, { param: "language" });
  }
}

/** Without a list of its own: every `<|…|>` between two tokens, where Whisper's tokenizers have the languages. */
function languagesOf(tokenizer: Tokenizer, listed: Record<string, number> | null | undefined, [before, after]: [number, number]): Map<string, number> {
  const entries = listed ? Object.entries(listed) : Array.from({ length: after - before - 1 }, (_, i) => [tokenizer.token(before + 1 + i) ?? "", before + 1 + i] as const);
  return new Map(entries.flatMap(([text, value]) => (/^<\|[a-z]{2,3}\|>$/.test(text) ? [[text.slice(2, -2), value] as const] : [])).sort());
}

function laterHalf({ decoder_layers: layers, decoder_attention_heads: heads }: WhisperConfig): [number, number][] {
  const first = Math.floor(layers / 2);
  return Array.from({ length: (layers - first) * heads }, (_, i) => [first + Math.floor(i / heads), i % heads]);
}
