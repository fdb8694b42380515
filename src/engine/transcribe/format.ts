import type { Transcript, TranscriptSegment } from "./transcript.js";

export type TranscriptFormat = "text" | "json" | "srt" | "vtt";

/** A transcript in the form of a file. `words` gives each word its own subtitle. */
export function formatTranscript(transcript: Transcript, format: TranscriptFormat, { words = false } = {}): string {
  switch (format) {
    case "text":
      return transcript.segments.map((segment) => `${segmentText(segment)}\n`).join("");
    case "json":
      return `${JSON.stringify(toJson(transcript))}\n`;
    case "srt":
      return cuesOf(transcript, words).map(({ start, end, text }, i) => `${i + 1}\n${clock(start, ",")} --> ${clock(end, ",")}\n${text}\n\n`).join("");
    case "vtt":
      return `WEBVTT\n\n${cuesOf(transcript, words).map(({ start, end, text }) => `${clock(start, ".")} --> ${clock(end, ".")}\n${escapeVtt(text)}\n\n`).join("")}`;
  }
}

/** On one line, without what a terminal or a player would obey. */
export function segmentText({ text }: Pick<TranscriptSegment, "text">): string {
  return text.replace(/\p{Cc}/gu, " ").trim();
}

interface Cue {
  start: number;
  end: number;
  text: string;
}

function cuesOf({ segments }: Transcript, words: boolean): Cue[] {
  const all = words ? segments.flatMap((segment) => (segment.words ?? []).map(({ word, start, end }) => ({ start, end, text: word }))) : segments;
  // "-->" would begin the next subtitle.
  return all.map(({ start, end, text }) => ({ start, end, text: segmentText({ text }).replaceAll("-->", "->") })).filter(({ text }) => text !== "");
}

/** `01:02:03,450` */
function clock(seconds: number, point: "," | "."): string {
  const ms = Math.round(seconds * 1000);
  const two = (value: number): string => String(Math.floor(value)).padStart(2, "0");
  return `${two(ms / 3_600_000)}:${two((ms / 60_000) % 60)}:${two((ms / 1000) % 60)}${point}${String(ms % 1000).padStart(3, "0")}`;
}

function escapeVtt(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** The names of OpenAI's verbose JSON. */
function toJson({ text, language, durationS, segments }: Transcript) {
  return {
    text,
    language,
    duration: durationS,
    segments: segments.map((segment) => ({
      id: segment.id,
      seek: segment.seek,
      start: segment.start,
      end: segment.end,
      text: segment.text,
      tokens: segment.tokenIds,
      temperature: segment.temperature,
      avg_logprob: segment.avgLogprob,
      compression_ratio: segment.compressionRatio,
      no_speech_prob: segment.noSpeechProb,
      ...(segment.words && { words: segment.words }),
    })),
  };
}
