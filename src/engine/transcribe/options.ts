import { randomInt } from "node:crypto";
import { z } from "zod";
import { parseWith } from "../../core/json.js";
import type { OnProgress } from "../../core/progress.js";

export interface TranscribeOptions {
  /** What is spoken: a code (`en`) or an English name. Default: heard from the first 30 s. */
  language?: string;
  /** `translate` writes English whatever is spoken. Default: `transcribe`. */
  task?: "transcribe" | "translate";
  /** Text that could stand before: it teaches names, spelling and style. */
  prompt?: string;
  /** When each word is said. */
  wordTimestamps?: boolean;
  /** Temperatures to try in turn while the text repeats itself or is unlikely; 0 takes the likeliest token. Default: 0, 0.2, 0.4, 0.6, 0.8, 1. */
  temperature?: number | readonly number[];
  /** Longer sounds are refused. Default: any length. */
  maxDurationS?: number;
  /** Makes temperatures above 0 repeatable. */
  seed?: number;
  /** Show the model the text so far. Default: yes. No makes it less prone to repeat itself. */
  conditionOnPreviousText?: boolean;
  /** Text that zlib makes smaller than by this factor repeats itself. `Infinity`: never. Default: 2.4. */
  compressionRatioThreshold?: number;
  /** Text whose tokens are less likely than this on average (natural logarithm) is tried again. `-Infinity`: never. Default: −1. */
  logprobThreshold?: number;
  /** Above this probability of no speech, unlikely text is left out. 1: never. Default: 0.6. */
  noSpeechThreshold?: number;
  signal?: AbortSignal;
  onProgress?: OnProgress;
}

/** Every option with its bounds and its default: the one place where they stand. */
const Options = z.object({
  language: z.string().optional(),
  task: z.enum(["transcribe", "translate"]).default("transcribe"),
  prompt: z.string().default(""),
  wordTimestamps: z.boolean().default(false),
  temperature: z
    .union([z.number().min(0).max(10), z.array(z.number().min(0).max(10)).min(1)])
    .default([0, 0.2, 0.4, 0.6, 0.8, 1])
    .transform((given) => (typeof given === "number" ? [given] : given)),
  maxDurationS: z.number().min(0).default(Infinity),
  seed: z
    .number()
    .int()
    .min(0)
    .max(0xffff_ffff)
    .default(() => randomInt(0xffff_ffff)),
  conditionOnPreviousText: z.boolean().default(true),
  compressionRatioThreshold: z.union([z.number().min(0), z.literal(Infinity)]).default(2.4),
  logprobThreshold: z.union([z.number(), z.literal(-Infinity)]).default(-1),
  noSpeechThreshold: z.number().min(0).max(1).default(0.6),
});

export type ResolvedTranscribeOptions = z.output<typeof Options>;

/** @throws DeskhandError `invalid_argument` naming the option. */
export function resolveTranscribeOptions(given: TranscribeOptions): ResolvedTranscribeOptions {
  return parseWith(Options, given, "The transcription options");
}
