import type { TranscriptionEvent } from "../engine/inference.js";
import { formatTranscript } from "../engine/transcribe/format.js";
import type { Transcript, TranscriptSegment } from "../engine/transcribe/transcript.js";
import type { Transcription, TranscriptionStreamEvent, VerboseTranscription } from "./schemas/transcription-answer.js";
import type { TranscriptionForm } from "./schemas/transcription-request.js";

type Wanted = Pick<TranscriptionForm, "response_format" | "timestamp_granularities[]"> & { task: "transcribe" | "translate" };

export interface TranscriptAnswer {
  contentType: string;
  body: string | Transcription | VerboseTranscription;
}

const JSON_TYPE = "application/json; charset=utf-8";
const TEXT_TYPES = { text: "text/plain", srt: "application/x-subrip", vtt: "text/vtt" };
export const TEXT_CONTENT_TYPES = Object.values(TEXT_TYPES);

/** The whole transcript in the form that was asked for. */
export async function toTranscriptAnswer(events: AsyncIterable<TranscriptionEvent>, wanted: Wanted): Promise<TranscriptAnswer> {
  const transcript = await lastOf(events);
  const { response_format: format } = wanted;
  if (format === "json") return { contentType: JSON_TYPE, body: { text: transcript.text, usage: usageOf(transcript) } };
  if (format === "verbose_json") return { contentType: JSON_TYPE, body: verbose(transcript, wanted) };
  return { contentType: `${TEXT_TYPES[format]}; charset=utf-8`, body: format === "text" ? `${transcript.text}\n` : formatTranscript(transcript, format) };
}

/** The text as it is heard. What a segment ends with may be the space before the next one, and waits for that. */
export async function* toTranscriptEvents(events: AsyncIterable<TranscriptionEvent>): AsyncGenerator<TranscriptionStreamEvent> {
  let heard = "";
  let sent = 0;
  for await (const event of events) {
    if (event.type === "transcript") {
      yield { type: "transcript.text.done", text: event.transcript.text };
      continue;
    }
    heard += event.segment.text;
    const text = heard.trim();
    if (text.length > sent) yield { type: "transcript.text.delta", delta: text.slice(sent) };
    sent = text.length;
  }
}

async function lastOf(events: AsyncIterable<TranscriptionEvent>): Promise<Transcript> {
  for await (const event of events) if (event.type === "transcript") return event.transcript;
  throw new Error("the engine ended without a transcript");
}

function verbose(transcript: Transcript, { task, "timestamp_granularities[]": times }: Wanted): VerboseTranscription {
  const { text, language, durationS, segments } = transcript;
  return {
    task,
    language: englishName(language),
    duration: durationS,
    text,
    ...(times.includes("segment") && { segments: segments.map(toSegment) }),
    ...(times.includes("word") && { words: segments.flatMap(({ words = [] }) => words.map(({ word, start, end }) => ({ word: word.trim(), start, end }))) }),
    usage: usageOf(transcript),
  };
}

function toSegment({ id, seek, start, end, text, tokenIds, temperature, avgLogprob, compressionRatio, noSpeechProb }: TranscriptSegment) {
  return { id, seek, start, end, text, tokens: tokenIds, temperature, avg_logprob: avgLogprob, compression_ratio: compressionRatio, no_speech_prob: noSpeechProb };
}

function usageOf({ durationS }: Transcript) {
  return { type: "duration" as const, seconds: Math.ceil(durationS) };
}

/** As OpenAI names languages: in English, small. */
function englishName(code: string): string {
  return (new Intl.DisplayNames("en", { type: "language" }).of(code) ?? code).toLowerCase();
}
