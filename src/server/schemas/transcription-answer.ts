import { z } from "zod";

/** What `POST /v1/audio/transcriptions` and `/v1/audio/translations` answer. */

const Usage = z.strictObject({ type: z.literal("duration"), seconds: z.number().int() });

/** `json` */
export const Transcription = z.strictObject({ text: z.string(), usage: Usage });
export type Transcription = z.infer<typeof Transcription>;

/** `verbose_json` */
export const VerboseTranscription = z
  .strictObject({
    task: z.enum(["transcribe", "translate"]),
    /** The English name of what is spoken, e.g. `english`. */
    language: z.string(),
    /** Seconds. */
    duration: z.number(),
    text: z.string(),
    segments: z
      .array(
        z.strictObject({
          id: z.number().int(),
          /** First hundredth of a second of the window it was heard in. */
          seek: z.number().int(),
          start: z.number(),
          end: z.number(),
          text: z.string(),
          tokens: z.array(z.number().int()),
          temperature: z.number(),
          avg_logprob: z.number(),
          compression_ratio: z.number(),
          no_speech_prob: z.number(),
        }),
      )
      .optional(),
    words: z.array(z.strictObject({ word: z.string(), start: z.number(), end: z.number() })).optional(),
    usage: Usage,
  });
export type VerboseTranscription = z.infer<typeof VerboseTranscription>;

/** Either, as `response_format` asks. */
export const TranscriptionAnswer = z.union([Transcription, VerboseTranscription]).meta({ id: "TranscriptionAnswer" });

/** One event of a stream: joined deltas are the text of the last event. */
export const TranscriptionStreamEvent = z
  .discriminatedUnion("type", [
    z.strictObject({ type: z.literal("transcript.text.delta"), delta: z.string() }),
    z.strictObject({ type: z.literal("transcript.text.done"), text: z.string() }),
  ])
  .meta({ id: "TranscriptionStreamEvent" });
export type TranscriptionStreamEvent = z.infer<typeof TranscriptionStreamEvent>;
