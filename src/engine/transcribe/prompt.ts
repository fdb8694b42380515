import { DeskhandError } from "../../core/errors.js";
import type { HeardWindow } from "./heard-window.js";
import type { ResolvedTranscribeOptions } from "./options.js";
import type { WhisperVocabulary } from "./vocabulary.js";

/**
 * The tokens of a prompt that a caller gives.
 * @throws DeskhandError `invalid_argument` when the text spells a special token.
 */
export function givenPrompt(text: string, vocabulary: WhisperVocabulary): number[] {
  const trimmed = text.trim();
  const tokens = trimmed === "" ? [] : vocabulary.tokenizer.encode(` ${trimmed}`);
  const special = tokens.find((token) => token >= vocabulary.endOfText);
  if (special === undefined) return tokens;
  throw new DeskhandError("invalid_argument", `Expected a prompt of plain text but it spells the special token ${vocabulary.tokenizer.token(special)}. Leave that out.`, { param: "prompt" });
}

/** What the decoder begins with: as much of the text before as may take half the context, then language and task. */
export function windowPrompt(before: readonly number[], language: string, task: ResolvedTranscribeOptions["task"], contextLength: number, vocabulary: WhisperVocabulary): number[] {
  const { startOfPrevious, startOfTranscript, multilingual, languages, transcribe, translate } = vocabulary;
  const room = Math.floor(contextLength / 2) - 1;
  const previous = before.length === 0 ? [] : [startOfPrevious, ...before.slice(-room)];
  return multilingual ? [...previous, startOfTranscript, languages.get(language)!, task === "translate" ? translate : transcribe] : [...previous, startOfTranscript];
}

/** @throws DeskhandError `invalid_argument` when a model for English alone is asked for more. */
export function requireKnownTask({ task, language }: Pick<ResolvedTranscribeOptions, "task" | "language">, vocabulary: WhisperVocabulary): void {
  if (language !== undefined) vocabulary.languageCode(language);
  if (task === "translate" && !vocabulary.multilingual) {
    throw new DeskhandError("invalid_argument", 'Expected task to be "transcribe", since this model knows only English, but received "translate". Use a multilingual model, e.g. mlx-community/whisper-large-v3-turbo-asr-fp16.', { param: "task" });
  }
}

/** The code of the language that is most likely spoken in a window. */
export async function detectLanguage(heard: HeardWindow, vocabulary: WhisperVocabulary, signal?: AbortSignal): Promise<string> {
  if (!vocabulary.multilingual) return "en";
  using text = heard.text([vocabulary.startOfTranscript], { signal });
  const [logits] = (await text.readPrompt([0])) as [Float32Array];
  return [...vocabulary.languages].reduce((best, one) => (logits[one[1]]! > logits[best[1]]! ? one : best))[0];
}
