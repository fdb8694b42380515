import { expect, it } from "vitest";
import type { Transcript, TranscriptSegment } from "../../src/index.js";
import { formatTranscript } from "../../src/engine/transcribe/format.js";

const segment = (id: number, start: number, end: number, text: string, words?: TranscriptSegment["words"]): TranscriptSegment => ({ id, seek: 0, start, end, text, tokenIds: [1], temperature: 0, avgLogprob: -0.5, compressionRatio: 1, noSpeechProb: 0.1, words });
const transcript: Transcript = {
  text: "Good day. <b> --> & so on",
  language: "en",
  durationS: 3725.5,
  segments: [
    segment(0, 0, 1.28, " Good\u001b day.", [{ word: " Good", start: 0, end: 0.5, probability: 0.9 }, { word: " day.", start: 0.5, end: 1.28, probability: 0.8 }]),
    segment(1, 3723.004, 3725.5, " <b> --> & so on"),
  ],
};

it("is a line a segment as text, without what a terminal would obey", () => {
  expect(formatTranscript(transcript, "text")).toBe("Good  day.\n<b> --> & so on\n");
});

it("is numbered subtitles as SubRip", () => {
  expect(formatTranscript(transcript, "srt")).toBe("1\n00:00:00,000 --> 00:00:01,280\nGood  day.\n\n2\n01:02:03,004 --> 01:02:05,500\n<b> -> & so on\n\n");
});

it("is escaped subtitles as WebVTT, by words when told to", () => {
  expect(formatTranscript(transcript, "vtt")).toContain("01:02:03.004 --> 01:02:05.500\n&lt;b&gt; -&gt; &amp; so on\n");
  expect(formatTranscript(transcript, "vtt", { words: true })).toBe("WEBVTT\n\n00:00:00.000 --> 00:00:00.500\nGood\n\n00:00:00.500 --> 00:00:01.280\nday.\n\n");
});

it("is one line as JSON, in OpenAI's names", () => {
  const text = formatTranscript(transcript, "json");
  expect(text.trimEnd()).not.toContain("\n");
  expect(JSON.parse(text)).toMatchObject({ language: "en", duration: 3725.5, segments: [{ id: 0, tokens: [1], avg_logprob: -0.5, compression_ratio: 1, no_speech_prob: 0.1, words: [{ word: " Good" }, {}] }, { id: 1 }] });
});
