import { existsSync, readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeAudio } from "../../src/engine/audio/decode.js";
import { logMel } from "../../src/engine/audio/log-mel.js";
import { disposeAll, liveTensors, scope, slice, take, tensor, type Tensor } from "../../src/engine/mlx/index.js";
import { WhisperModel } from "../../src/engine/models/whisper/model.js";
import { decodeWindow } from "../../src/engine/transcribe/decode-window.js";
import { HeardWindow } from "../../src/engine/transcribe/heard-window.js";
import { resolveTranscribeOptions, type TranscribeOptions } from "../../src/engine/transcribe/options.js";
import { detectLanguage } from "../../src/engine/transcribe/prompt.js";
import { loadTranscriber, type Transcriber } from "../../src/engine/transcribe/transcriber.js";
import { WhisperVocabulary } from "../../src/engine/transcribe/vocabulary.js";
import { FIXTURES, readGolden, relativeError, rmsError } from "./support/golden.js";
import { MlxWhisperCopy, SOUND, WINDOW_SAMPLES, whisperLogits } from "./support/whisper.js";

// Whisper against transformers, quantised against mlx-audio: features of a sound, the encoder's output, the decoder's logits,
// and whole transcriptions of a sound longer than a window.

/** float32 arithmetic in another order. */
const TOLERANCE = 1e-4;

interface Word {
  word: string;
  start: number;
  end: number;
}

interface Long {
  name: string;
  language: string | null;
  task: "transcribe" | "translate" | null;
  prompt: string | null;
  condition: boolean;
  no_speech_threshold: number | null;
  spoken: string;
  segments: { start: number; end: number; tokens: number[]; text: string; words: Word[]; avg_logprob: number }[];
}

interface Sounds {
  decoder_input_ids: number[];
  prompt_length: number;
  greedy: number[];
  no_speech_prob: number;
  language: string;
  copies: number;
  long: Long[];
}

const soundsOf = (fixture: string): Sounds => (JSON.parse(readFileSync(`${FIXTURES}${fixture}/golden.json`, "utf8")) as { sounds: Sounds }).sounds;
const FIXTURE_NAMES = readdirSync(FIXTURES).filter((name) => name.startsWith("whisper") && existsSync(`${FIXTURES}${name}/golden.json`));
const DENSE = FIXTURE_NAMES.filter((name) => readGolden(name).oracle.startsWith("transformers"));

describe.each(FIXTURE_NAMES)("%s", (fixture) => {
  const golden = readGolden(fixture);
  const sounds = soundsOf(fixture);
  let model: WhisperModel;
  let samples: Float32Array<ArrayBuffer>;
  let baseline: number;

  beforeAll(async () => {
    baseline = liveTensors();
    model = await WhisperModel.load(`${FIXTURES}${fixture}/model`, { dtype: "float32", storedMatrices: true });
    samples = await decodeAudio(SOUND);
  });

  afterAll(() => {
    model[Symbol.dispose]();
    expect(liveTensors()).toBe(baseline);
  });

  const features = (): Tensor => {
    const { data, frames, mels } = logMel(samples, model.config.num_mel_bins, WINDOW_SAMPLES);
    return tensor(data, [1, frames, mels]);
  };

  it("encodes the same", () => {
    using actual = scope(() => take(model.encoder.forward(features()), tensor(golden.require("encoder_rows").data as Int32Array<ArrayBuffer>), 1));
    expect(relativeError(actual.toArray(), golden.require("encoder_output").data)).toBeLessThan(TOLERANCE);
  });

  it.each([
    ["at once", Infinity],
    ["token by token", 1],
    ["in pieces", 4],
  ])("computes the same logits, %s", (_, step) => {
    const ids = tensor(Int32Array.from(sounds.decoder_input_ids), [1, sounds.decoder_input_ids.length]);
    const length = ids.dim(1);
    const size = Math.min(step, length);
    const cache = model.decoder.createCache();
    const logits = scope(() => {
      const heard = model.decoder.listen(model.encoder.forward(features()));
      return Array.from({ length: Math.ceil(length / size) }, (__, i) => model.decoder.logits(model.decoder.forward(slice(ids, 1, i * size, Math.min((i + 1) * size, length)), heard, cache)));
    });
    expect(relativeError(logits.flatMap((part) => part.toArray()), golden.require("logits").data)).toBeLessThan(TOLERANCE);
    disposeAll([ids, ...logits]);
    for (const layer of cache) layer[Symbol.dispose]();
  });
});

describe.each(FIXTURE_NAMES.filter((name) => !DENSE.includes(name)))("%s, quantised", (fixture) => {
  it("generates the same greedy tokens as mlx-audio", async () => {
    const { decoder_input_ids: ids, prompt_length: length, greedy } = soundsOf(fixture);
    using model = await WhisperModel.load(`${FIXTURES}${fixture}/model`);
    using heard = await hear(model);
    using text = heard.text(ids.slice(0, length));
    const likeliest = (logits: Float32Array): number => logits.indexOf(Math.max(...logits));
    const [first] = (await text.readPrompt([length - 1])) as [Float32Array];
    const actual = [likeliest(first)];
    while (actual.length < greedy.length) actual.push(likeliest(await text.add(actual.at(-1)!)));
    expect(actual).toEqual(greedy);
  });

  it("transcribes, though its folder lacks what transformers writes", async () => {
    await using transcriber = await loadTranscriber(`${FIXTURES}${fixture}/model`);
    const { segments } = await transcriber.transcribe(SOUND, { language: "en", wordTimestamps: true, temperature: 0 });
    expect(segments[0]?.words?.map(({ word }) => word).join("")).toBe(segments[0]?.text);
  });
});

describe.each(DENSE)("%s, transcribing", (fixture) => {
  const golden = readGolden(fixture);
  const sounds = soundsOf(fixture);
  let transcriber: Transcriber;

  beforeAll(async () => {
    transcriber = await loadTranscriber(`${FIXTURES}${fixture}/model`);
  });

  afterAll(() => transcriber.dispose());

  it("hears the same features", async () => {
    const samples = await decodeAudio(SOUND);
    const mels = golden.require("features").shape[1]!;
    const { data } = logMel(samples, mels, WINDOW_SAMPLES);
    const frames = [...golden.require("feature_frames").data].flatMap((frame) => [...data.subarray(frame * mels, (frame + 1) * mels)]);
    expect(largestDifference(frames, golden.require("features").data)).toBeLessThan(TOLERANCE);
    for (const length of [201, 1337, 16001]) {
      const part = logMel(samples.subarray(0, length), mels, WINDOW_SAMPLES).data.subarray(0, 101 * mels);
      expect(largestDifference(part, golden.require(`features_${length}`).data)).toBeLessThan(TOLERANCE);
    }
  });

  it("writes the same tokens about one window, as sure that somebody speaks, and in the same language", async () => {
    using model = await WhisperModel.load(`${FIXTURES}${fixture}/model`, { dtype: "float32", storedMatrices: true });
    const vocabulary = await WhisperVocabulary.load(`${FIXTURES}${fixture}/model`, model.config);
    using heard = await hear(model);
    const options = resolveTranscribeOptions({ temperature: 0 });
    const prompt = sounds.decoder_input_ids.slice(0, sounds.prompt_length);
    const result = await decodeWindow(heard, { prompt, frames: 330, contextLength: model.config.max_target_positions, vocabulary, options, index: 0 });
    expect(result.tokens).toEqual(sounds.greedy.filter((token) => token !== vocabulary.endOfText));
    expect(result.noSpeechProb / sounds.no_speech_prob).toBeCloseTo(1, 3);
    expect(await detectLanguage(heard, vocabulary)).toBe(sounds.language);
  });

  it.each(sounds.long)("hears a long sound the same: $name", async ({ language, task, prompt, condition, no_speech_threshold: noSpeechThreshold, spoken, segments }) => {
    const short = await decodeAudio(SOUND);
    const samples = new Float32Array(sounds.copies * short.length);
    for (let i = 0; i < sounds.copies; i++) samples.set(short.map((sample) => sample * 0.5 ** (i % 4)), i * short.length);
    const options: TranscribeOptions = {
      language: language ?? undefined,
      task: task ?? undefined,
      prompt: prompt ?? undefined,
      conditionOnPreviousText: condition,
      wordTimestamps: true,
      temperature: 0,
      ...(noSpeechThreshold !== null && { noSpeechThreshold, logprobThreshold: 0 }),
    };
    const transcript = await transcriber.transcribe(samples, options);
    const words = (all: readonly Word[]) => all.map(({ word, start, end }) => ({ word, start, end }));
    expect(transcript.segments.map(({ start, end, tokenIds: tokens, text, words: own }) => ({ start, end, tokens, text, words: words(own!) }))).toEqual(
      segments.map(({ start, end, tokens, text, words: own }) => ({ start, end, tokens, text, words: words(own) })),
    );
    transcript.segments.forEach(({ avgLogprob }, i) => expect(avgLogprob).toBeCloseTo(segments[i]!.avg_logprob, 3));
    expect(transcript.segments.map(({ id }) => id)).toEqual([...segments.keys()]);
    expect(transcript).toMatchObject({ language: spoken, durationS: samples.length / 16_000, text: segments.map(({ text }) => text).join("").trim() });
  });
});

it("answers the same from MLX's layout", async () => {
  using copy = new MlxWhisperCopy(`${FIXTURES}whisper/model`);
  await using converted = await loadTranscriber(copy.dir);
  await using original = await loadTranscriber(`${FIXTURES}whisper/model`);
  const options = { temperature: 0, wordTimestamps: true };
  const [actual, expected] = [await converted.transcribe(SOUND, options), await original.transcribe(SOUND, options)];
  // The table of positions is computed: its last digits differ from the stored one's.
  expect(actual.segments[0]!.avgLogprob).toBeCloseTo(expected.segments[0]!.avgLogprob, 4);
  expect(actual.segments.map(({ tokenIds, words }) => [tokenIds, words!.map(({ start, end }) => [start, end])])).toEqual(expected.segments.map(({ tokenIds, words }) => [tokenIds, words!.map(({ start, end }) => [start, end])]));
});

describe.each(DENSE.filter((name) => name.endsWith("bf16")))("%s in bfloat16", (fixture) => {
  // As of the other families: how far the reference itself is off, on average, is the measure.
  it("is as close to float32 as the reference is", async () => {
    const golden = readGolden(fixture);
    const exact = golden.require("logits").data;
    expect(rmsError(await whisperLogits(fixture, "bfloat16"), exact)).toBeLessThan(1.5 * rmsError(golden.require("logits_bfloat16").data, exact));
  });
});

async function hear(model: WhisperModel): Promise<HeardWindow> {
  return HeardWindow.listen(model, logMel(await decodeAudio(SOUND), model.config.num_mel_bins, WINDOW_SAMPLES).data);
}

function largestDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  let difference = 0;
  for (let i = 0; i < expected.length; i++) difference = Math.max(difference, Math.abs(actual[i]! - expected[i]!));
  return difference;
}
