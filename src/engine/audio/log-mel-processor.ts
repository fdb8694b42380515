import { createHash } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import { DeskhandError } from "../../core/errors.js";
import { parseWith, readJson } from "../../core/json.js";
import { pathExists } from "../hub/path-exists.js";
import { HOP_LENGTH, logMel, SAMPLE_RATE, WINDOW_LENGTH, type LogMel } from "./log-mel.js";

const positiveInt = z.number().int().positive();

/** Defaults are those of transformers' `WhisperFeatureExtractor`: a file that leaves a field out was written against them. */
const schema = z.object({
  feature_extractor_type: z.literal("WhisperFeatureExtractor").optional(),
  feature_size: positiveInt.default(80),
  sampling_rate: z.literal(SAMPLE_RATE).default(SAMPLE_RATE),
  hop_length: z.literal(HOP_LENGTH).default(HOP_LENGTH),
  n_fft: z.literal(WINDOW_LENGTH).default(WINDOW_LENGTH),
  /** Longest sound in seconds, where there is one. */
  chunk_length: positiveInt.default(30),
  padding_value: z.literal(0).default(0),
  dither: z.literal(0).default(0),
});

/** What follows a sound: silence up to the longest there may be, or nothing, its own end being mirrored; then it may be of any length. */
export type SoundEnd = "silence" | "mirrored";

/** Whisper's log-mel features of a whole sound. Source: transformers' `models/whisper/feature_extraction_whisper.py`. */
export class LogMelProcessor {
  readonly mels: number;
  readonly maxSeconds: number;
  /** Names every setting that changes `process`'s result, for cache keys. */
  readonly settingsKey: string;
  readonly #end: SoundEnd;

  /** @param config the content of `preprocessor_config.json`. @throws DeskhandError `invalid_model` naming the field at fault. */
  constructor(config: unknown, end: SoundEnd, what = "preprocessor_config.json") {
    const { feature_size, chunk_length } = parseWith(schema, config, what, "invalid_model");
    this.mels = feature_size;
    this.maxSeconds = chunk_length;
    this.#end = end;
    this.settingsKey = `log-mel ${feature_size} ${chunk_length} ${end}`;
  }

  /** Reads `preprocessor_config.json`, or the `feature_extractor` of `processor_config.json` as transformers 5 writes it. */
  static async load(dir: string, end: SoundEnd): Promise<LogMelProcessor> {
    const own = join(dir, "preprocessor_config.json");
    if (await pathExists(own)) return new LogMelProcessor(await readJson(own), end, own);
    const combined = join(dir, "processor_config.json");
    if (await pathExists(combined)) {
      const { feature_extractor } = parseWith(z.object({ feature_extractor: z.unknown() }), await readJson(combined), combined, "invalid_model");
      if (feature_extractor !== undefined) return new LogMelProcessor(feature_extractor, end, `feature_extractor in ${combined}`);
    }
    throw new DeskhandError("invalid_model", `Expected preprocessor_config.json in ${dir}, but it is missing. Copy it from the model's repository: sound cannot be prepared without it.`);
  }

  /**
   * @param samples mono at 16 kHz.
   * @throws DeskhandError `unsupported_input` for a sound longer than there may be.
   */
  process(samples: Float32Array): LogMel {
    if (this.#end === "mirrored") return logMel(samples, this.mels);
    const limit = this.maxSeconds * SAMPLE_RATE;
    if (samples.length > limit) {
      throw new DeskhandError("unsupported_input", `Expected sound of at most ${this.maxSeconds} s but received ${(samples.length / SAMPLE_RATE).toFixed(1)} s. Ask about it in parts.`);
    }
    const frames = Math.ceil(samples.length / HOP_LENGTH);
    // In the silence after the sound the last windows that reach back to it begin two frames later at most.
    const { data } = logMel(samples, this.mels, Math.min(limit, (frames + 2) * HOP_LENGTH));
    return { data: data.slice(0, frames * this.mels), frames, mels: this.mels };
  }
}

/** Same hash, same samples. */
export function soundContentHash(samples: Float32Array): string {
  return createHash("sha256").update(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength)).digest("hex");
}
