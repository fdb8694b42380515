import { DeskhandError } from "../../core/errors.js";
import { Mutex } from "../../core/semaphore.js";
import { decodeAudio } from "../audio/decode.js";
import { SAMPLE_RATE } from "../audio/log-mel.js";
import { resolveModel } from "../hub/resolve.js";
import type { MemoryHeld } from "../generate/room.js";
import type { AudioSource } from "../messages.js";
import { bestDevice, clearCache, setDefaultDevice } from "../mlx/index.js";
import type { LoadOptions } from "../model-options.js";
import { readWhisperConfig, WhisperModel } from "../models/whisper/model.js";
import { weightTypes } from "../weight-types.js";
import { transcribeSound } from "./long-form.js";
import { resolveTranscribeOptions, type TranscribeOptions } from "./options.js";
import type { Transcript, TranscriptSegment } from "./transcript.js";
import { WhisperVocabulary } from "./vocabulary.js";

/** Yielded while the sound is heard; returned at the end, whole. */
export type TranscriptStream = AsyncGenerator<TranscriptSegment, Transcript>;

export interface TranscriberInfo {
  id: string;
  modelType: string;
  /** Longest text of one window, in tokens. */
  contextLength: number;
  /** Codes of the languages it knows, e.g. `en`. */
  languages: readonly string[];
}

/** A loaded speech recogniser. Transcriptions run one at a time, in the order of asking. */
export class Transcriber implements AsyncDisposable {
  readonly info: TranscriberInfo;
  readonly #model: WhisperModel;
  readonly #vocabulary: WhisperVocabulary;
  readonly #turn = new Mutex();
  #disposed = false;

  constructor(id: string, model: WhisperModel, vocabulary: WhisperVocabulary) {
    this.info = { id, modelType: "whisper", contextLength: model.config.max_target_positions, languages: vocabulary.multilingual ? [...vocabulary.languages.keys()] : ["en"] };
    this.#model = model;
    this.#vocabulary = vocabulary;
  }

  /** Bytes that the weights take. */
  get memory(): MemoryHeld {
    return { weightBytes: this.#model.weightBytes, runningBytes: 0 };
  }

  /**
   * Writes down what is said.
   * @param source a file, URL, bytes of a file, or samples; of any length.
   * @throws DeskhandError `invalid_argument`, `unsupported_input` (no sound), `dependency_missing` (no ffmpeg), `cancelled`.
   */
  async transcribe(source: AudioSource, options: TranscribeOptions = {}): Promise<Transcript> {
    const stream = this.streamTranscribe(source, options);
    for (;;) {
      const { value, done } = await stream.next();
      if (done) return value;
    }
  }

  /** Like `transcribe`, segment by segment. The generator's return value is the whole transcript. */
  async *streamTranscribe(source: AudioSource, options: TranscribeOptions = {}): TranscriptStream {
    const { signal, onProgress } = options;
    const resolved = resolveTranscribeOptions(options);
    const release = await this.#turn.acquire(signal);
    try {
      if (this.#disposed) throw new DeskhandError("engine_unavailable", `The model ${this.info.id} has been disposed. Load it again.`);
      const samples = await decodeAudio(source, { signal, maxDurationS: resolved.maxDurationS });
      const segments: TranscriptSegment[] = [];
      const heard = transcribeSound({ model: this.#model, vocabulary: this.#vocabulary, samples, options: resolved, signal, onProgress });
      try {
        for (;;) {
          const { value, done } = await heard.next();
          if (done) return { text: segments.map(({ text }) => text).join("").trim(), language: value, durationS: samples.length / SAMPLE_RATE, segments };
          segments.push(value);
          yield value;
        }
      } finally {
        // A caller who leaves early ends the transcription as well.
        await heard.return(undefined as never);
      }
    } finally {
      release();
    }
  }

  /** Waits for a running transcription to end, then frees the weights. Safe to call twice. */
  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    const release = await this.#turn.acquire();
    try {
      this.#model[Symbol.dispose]();
      clearCache();
    } finally {
      release();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }
}

/**
 * Loads a Whisper model: a folder or a Hugging Face id, as published by OpenAI or converted by MLX.
 * @throws DeskhandError `model_not_found`, `unsupported_model` (a model that chats: use `load`), `invalid_model`, `cancelled`.
 */
export async function loadTranscriber(name: string, { device = bestDevice(), dtype, onProgress, signal }: Omit<LoadOptions, "toolFormat"> = {}): Promise<Transcriber> {
  const { dir, id } = await resolveModel(name, { onProgress, signal });
  setDefaultDevice(device);
  const vocabulary = await WhisperVocabulary.load(dir, await readWhisperConfig(dir), { signal });
  return new Transcriber(id, await WhisperModel.load(dir, { ...weightTypes(device, dtype), onProgress, signal }), vocabulary);
}
