import { throwIfAborted } from "../../core/errors.js";
import type { OnProgress } from "../../core/progress.js";
import type { WhisperModel } from "../models/whisper/model.js";
import { decodeWindow } from "./decode-window.js";
import { describeSegments } from "./describe.js";
import { HeardWindow } from "./heard-window.js";
import type { ResolvedTranscribeOptions } from "./options.js";
import { detectLanguage, givenPrompt, requireKnownTask, windowPrompt } from "./prompt.js";
import { cutSegments, FRAMES_PER_SECOND, FRAMES_PER_TIMESTAMP } from "./segments.js";
import type { TranscriptSegment } from "./transcript.js";
import type { WhisperVocabulary } from "./vocabulary.js";
import { WindowFeatures } from "./window-features.js";

/** Text drawn at a higher temperature is not shown to later windows: its mistakes would go on. */
const MAX_TRUSTED_TEMPERATURE = 0.5;

export interface SoundTask {
  model: WhisperModel;
  vocabulary: WhisperVocabulary;
  /** Mono at 16 kHz. */
  samples: Float32Array;
  options: ResolvedTranscribeOptions;
  signal?: AbortSignal;
  onProgress?: OnProgress;
}

/**
 * Writes down a sound of any length: windows of 30 s, each beginning where the last one's words end (arXiv:2212.04356, section
 * 3.8). Yields segments as they are heard; returns the language's code.
 */
export async function* transcribeSound({ model, vocabulary, samples, options, signal, onProgress }: SoundTask): AsyncGenerator<TranscriptSegment, string> {
  requireKnownTask(options, vocabulary);
  const { max_source_positions: positions, max_target_positions: contextLength, num_mel_bins: mels, median_filter_width: medianWidth } = model.config;
  const windowFrames = positions * FRAMES_PER_TIMESTAMP;
  const said = givenPrompt(options.prompt, vocabulary);
  let language = options.language === undefined ? undefined : vocabulary.languageCode(options.language);
  let forgotten = 0;
  let id = 0;
  const features = await WindowFeatures.of(samples, mels, windowFrames, { signal });
  for (let seek = 0, index = 0; seek < features.frames; index++) {
    throwIfAborted(signal);
    onProgress?.({ phase: "Transcribing", done: seek / FRAMES_PER_SECOND, total: features.frames / FRAMES_PER_SECOND, unit: "seconds" });
    const frames = Math.min(windowFrames, features.frames - seek);
    let result;
    {
      using heard = await HeardWindow.listen(model, features.window(seek));
      language ??= await detectLanguage(heard, vocabulary, signal);
      const prompt = windowPrompt(said.slice(forgotten), language, options.task, contextLength, vocabulary);
      result = await decodeWindow(heard, { prompt, frames, contextLength, vocabulary, options, index, signal });
    }
    const { segments, advance } = cutSegments(result.silent ? [] : result.tokens, { firstTimestamp: vocabulary.firstTimestamp, frames });
    for (const segment of describeSegments(segments, result, { seek, language, vocabulary, medianWidth })) {
      said.push(...segment.tokenIds);
      yield { id: id++, ...segment };
    }
    if (!options.conditionOnPreviousText || result.temperature > MAX_TRUSTED_TEMPERATURE) forgotten = said.length;
    seek += advance;
  }
  return language ?? "en";
}
