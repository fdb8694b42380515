import { tokenTimes } from "./alignment.js";
import type { WindowResult } from "./decode-window.js";
import { FRAMES_PER_SECOND, FRAMES_PER_TIMESTAMP, type TokenSegment } from "./segments.js";
import type { TranscriptSegment, TranscriptWord } from "./transcript.js";
import type { WhisperVocabulary } from "./vocabulary.js";
import { splitWords } from "./words.js";

export interface WindowPlace {
  /** The window's first frame. */
  seek: number;
  language: string;
  vocabulary: WhisperVocabulary;
  /** Of the filter that smooths attention. */
  medianWidth: number;
}

/** A window's segments in a transcript's words. Those without text, or that last no time, are left out. */
export function describeSegments(segments: readonly TokenSegment[], result: WindowResult, place: WindowPlace): Omit<TranscriptSegment, "id">[] {
  const { temperature, avgLogprob, compressionRatio, noSpeechProb, attention } = result;
  const seconds = (frame: number): number => (place.seek + frame) / FRAMES_PER_SECOND;
  const times = attention && tokenTimes(attention, place.medianWidth).map((step) => seconds(step * FRAMES_PER_TIMESTAMP));
  return segments.flatMap((segment) => {
    const text = place.vocabulary.textOf(segment.tokens);
    if (text.trim() === "" || segment.startFrame === segment.endFrame) return [];
    const words = times && { words: wordsOf(segment, times, result.logprobs, place) };
    return [{ seek: place.seek, start: seconds(segment.startFrame), end: seconds(segment.endFrame), text, tokenIds: [...segment.tokens], temperature, avgLogprob, compressionRatio, noSpeechProb, ...words }];
  });
}

/** A token lasts from when the one before it was said to when it was. */
function wordsOf({ tokens, offset }: TokenSegment, times: readonly number[], logprobs: readonly number[], { seek, language, vocabulary }: WindowPlace): TranscriptWord[] {
  // The last token of a text that filled the context has not been looked at again.
  const timeOf = (at: number): number => times[at] ?? times.at(-1) ?? seek / FRAMES_PER_SECOND;
  const spoken = tokens.flatMap((token, i) => (token < vocabulary.endOfText ? [{ token, at: offset + i }] : []));
  const words = splitWords(vocabulary.tokenizer, spoken.map(({ token }) => token), language);
  return words.map(({ text, indices }) => {
    const places = indices.map((index) => spoken[index]!.at);
    const probability = places.reduce((sum, at) => sum + Math.exp(logprobs[at]!), 0) / places.length;
    return { word: text, start: timeOf(places[0]! - 1), end: timeOf(places.at(-1)!), probability };
  });
}
