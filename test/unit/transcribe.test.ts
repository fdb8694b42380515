import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { load, loadTranscriber, type Progress, type Transcriber, type TranscriptSegment } from "../../src/index.js";
import { liveTensors } from "../../src/engine/mlx/index.js";
import { WhisperModel } from "../../src/engine/models/whisper/model.js";
import { logMel } from "../../src/engine/audio/log-mel.js";
import { HeardWindow } from "../../src/engine/transcribe/heard-window.js";
import { cutSegments } from "../../src/engine/transcribe/segments.js";
import { WindowFeatures } from "../../src/engine/transcribe/window-features.js";

// What a caller of the library sees. That the text is right is shown in test/golden.

const fixture = (name: string): string => fileURLToPath(new URL(`../golden/fixtures/${name}`, import.meta.url));
const SOUND = fixture("transcribe/sound.wav");
const SILENCE = new Float32Array(16_000 * 40);
/** Models of random weights are unsure of everything: only a clear sign of speech would make them speak. */
const SURE = { noSpeechThreshold: 0, logprobThreshold: 0 };

describe("a transcriber", () => {
  let transcriber: Transcriber;
  let baseline: number;

  beforeAll(async () => {
    baseline = liveTensors();
    transcriber = await loadTranscriber(fixture("whisper/model"));
  });

  afterAll(async () => {
    await transcriber.dispose();
    await transcriber.dispose();
    expect(liveTensors()).toBe(baseline);
    await expect(transcriber.transcribe(SOUND)).rejects.toMatchObject({ code: "engine_unavailable" });
  });

  it("says what it is", () => {
    expect(transcriber.info).toEqual({ id: "model", modelType: "whisper", contextLength: 64, languages: ["de", "en", "es", "ja", "zh"] });
  });

  it("yields each segment when it is heard, and returns the whole", async () => {
    const stream = transcriber.streamTranscribe(SOUND, { temperature: 0 });
    const segments: TranscriptSegment[] = [];
    for (;;) {
      const { value, done } = await stream.next();
      if (done) {
        expect(value.segments).toEqual(segments);
        expect(value).toEqual(await transcriber.transcribe(await readFile(SOUND), { temperature: 0 }));
        break;
      }
      segments.push(value);
    }
    expect(segments.length).toBeGreaterThan(0);
    expect(segments[0]!.words).toBeUndefined();
  });

  it("hears what ffmpeg decodes as it hears WAVE", async () => {
    const { execFileSync } = await import("node:child_process");
    const dir = await mkdtemp(join(tmpdir(), "transcribe-"));
    execFileSync("ffmpeg", ["-v", "error", "-i", SOUND, join(dir, "sound.flac")]);
    expect(await transcriber.transcribe(join(dir, "sound.flac"), { temperature: 0 })).toEqual(await transcriber.transcribe(SOUND, { temperature: 0 }));
    await rm(dir, { recursive: true });
  });

  it("has nothing to say about silence where the thresholds say so, nor about no sound at all", async () => {
    expect(await transcriber.transcribe(SILENCE, { language: "de", ...SURE })).toEqual({ text: "", language: "de", durationS: 40, segments: [] });
    expect(await transcriber.transcribe(new Float32Array())).toEqual({ text: "", language: "en", durationS: 0, segments: [] });
  });

  it("tries higher temperatures while the text is unlikely, repeatably", async () => {
    const transcribe = (seed: number) => transcriber.transcribe(SOUND, { language: "en", logprobThreshold: 0, noSpeechThreshold: 1, temperature: [0, 0.4, 0.9], seed });
    const [first, again, other] = [await transcribe(1), await transcribe(1), await transcribe(2)];
    expect(first.segments[0]!.temperature).toBe(0.9);
    expect(again).toEqual(first);
    expect(other.text).not.toBe(first.text);
    const likely = await transcriber.transcribe(SOUND, { language: "en", logprobThreshold: -Infinity, compressionRatioThreshold: Infinity });
    expect(likely.segments[0]!.temperature).toBe(0);
  });

  it("tries higher temperatures when the text repeats itself", async () => {
    const { segments } = await transcriber.transcribe(SOUND, { logprobThreshold: -Infinity, compressionRatioThreshold: 0, temperature: [0, 0.1] });
    expect(segments[0]!.temperature).toBe(0.1);
  });

  it("ends within a token of an abort, and can be used again", async () => {
    const controller = new AbortController();
    const progress: Progress[] = [];
    const onProgress = (one: Progress): void => {
      progress.push(one);
      if (progress.length === 2) controller.abort();
    };
    const options = { temperature: 0, signal: controller.signal, onProgress };
    await expect(transcriber.transcribe(SILENCE, options)).rejects.toMatchObject({ code: "cancelled" });
    expect(progress).toHaveLength(2);
    expect(progress[1]).toMatchObject({ phase: "Transcribing", total: 40, unit: "seconds" });
    await expect(transcriber.transcribe(SOUND, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "cancelled" });
    expect((await transcriber.transcribe(SOUND, { temperature: 0 })).segments).not.toEqual([]);
  });

  it("adds no token after an abort", async () => {
    using model = await WhisperModel.load(fixture("whisper/model"));
    using heard = await HeardWindow.listen(model, new Float32Array(3000 * 80));
    const controller = new AbortController();
    using text = heard.text([273], { signal: controller.signal });
    await text.readPrompt([0]);
    await text.add(300);
    controller.abort();
    await expect(text.add(5)).rejects.toMatchObject({ code: "cancelled" });
  });

  it("lets a caller leave early", async () => {
    for await (const segment of transcriber.streamTranscribe(SOUND, { temperature: 0 })) {
      expect(segment.id).toBe(0);
      break;
    }
    expect((await transcriber.transcribe(SOUND, { temperature: 0 })).segments).not.toEqual([]);
  });

  it("takes one sound after the other", async () => {
    const alone = await transcriber.transcribe(SOUND, { temperature: 0, wordTimestamps: true });
    const together = await Promise.all([1, 2].map(() => transcriber.transcribe(SOUND, { temperature: 0, wordTimestamps: true })));
    expect(together).toEqual([alone, alone]);
  });

  it.each([
    ["a code", "de"],
    ["a token", "<|de|>"],
    ["a name", "German"],
  ])("knows a language by %s", async (_, language) => {
    expect((await transcriber.transcribe(SOUND, { language, temperature: 0 })).language).toBe("de");
  });

  it.each([
    [{ language: "Klingon" }, /de, en, es, ja, zh/],
    [{ prompt: "<|startoftranscript|>" }, /special token/],
    [{ temperature: -1 }, /temperature/],
    [{ temperature: [] }, /temperature/],
    [{ noSpeechThreshold: 2 }, /noSpeechThreshold/],
  ])("refuses %j", async (options, message) => {
    await expect(transcriber.transcribe(SOUND, options)).rejects.toThrow(message);
    await expect(transcriber.transcribe(SOUND, options)).rejects.toMatchObject({ code: "invalid_argument" });
  });

  it("refuses what is no sound", async () => {
    await expect(transcriber.transcribe("/nowhere/missing.wav")).rejects.toMatchObject({ code: "unsupported_input" });
  });
});

describe("a transcriber for English alone", () => {
  it("hears English, and translates nothing", async () => {
    await using transcriber = await loadTranscriber(fixture("whisper-en/model"));
    expect(transcriber.info.languages).toEqual(["en"]);
    expect((await transcriber.transcribe(SOUND, { temperature: 0 })).language).toBe("en");
    await expect(transcriber.transcribe(SOUND, { language: "de" })).rejects.toThrow(/It knows en\./);
    await expect(transcriber.transcribe(SOUND, { task: "translate" })).rejects.toThrow(/multilingual/);
  });
});

describe("the wrong loader", () => {
  it("is told which is right", async () => {
    await expect(load(fixture("whisper/model"))).rejects.toThrow(/loadTranscriber/);
    await expect(loadTranscriber(fixture("qwen3/model"))).rejects.toThrow(/qwen3.*Use load\(\)/);
  });
});

describe("a folder that is not whole", () => {
  let dir: string;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "whisper-"));
  });

  afterAll(() => rm(dir, { recursive: true }));

  const copy = async (name: string, file: string, edit: (json: Record<string, unknown>) => void): Promise<string> => {
    const to = join(dir, name);
    await cp(fixture("whisper/model"), to, { recursive: true });
    const json = JSON.parse(await readFile(join(to, file), "utf8")) as Record<string, unknown>;
    edit(json);
    await writeFile(join(to, file), JSON.stringify(json));
    return to;
  };

  it.each([
    ["activation_function", "relu"],
    ["scale_embedding", true],
    ["num_mel_bins", 64],
    ["median_filter_width", 6],
    ["tie_word_embeddings", false],
  ])("or not known is refused by the field's name: %s", async (field, value) => {
    const to = await copy(field, "config.json", (json) => (json[field] = value));
    await expect(loadTranscriber(to)).rejects.toThrow(new RegExp(field));
    await expect(loadTranscriber(to)).rejects.toMatchObject({ code: "unsupported_model" });
  });

  it("is refused when its alignment heads are not its own", async () => {
    const baseline = liveTensors();
    const to = await copy("heads", "generation_config.json", (json) => (json["alignment_heads"] = [[3, 0]]));
    await expect(loadTranscriber(to)).rejects.toThrow(/alignment_heads/);
    expect(liveTensors()).toBe(baseline);
  });

  it("says where a missing tokenizer can be had", async () => {
    const to = await copy("no-tokenizer", "config.json", () => undefined);
    await rm(join(to, "tokenizer.json"));
    await expect(loadTranscriber(to)).rejects.toMatchObject({ code: "invalid_model", message: expect.stringContaining("tokenizer.json") as string });
  });

  it("does without generation_config.json", async () => {
    const to = await copy("plain", "generation_config.json", () => undefined);
    await rm(join(to, "generation_config.json"));
    await using transcriber = await loadTranscriber(to);
    // A vocabulary this small has no languages in Whisper's own sense.
    expect(transcriber.info.languages).toEqual(["en"]);
    expect((await transcriber.transcribe(SOUND, { temperature: 0, wordTimestamps: true })).segments[0]?.words).toBeDefined();
  });
});

describe("cutting a window into segments", () => {
  const T = 100;
  const cut = (...tokens: number[]) => cutSegments(tokens, { firstTimestamp: T, frames: 2000 });

  it.each([
    ["pairs: the next window begins at the last", [T, 1, T + 50, T + 50, 2, T + 90, T + 95, 3], [[0, 100, [T, 1, T + 50]], [100, 180, [T + 50, 2, T + 90]]], 180],
    ["a pair at the end", [T, 1, T + 50, T + 60], [[0, 100, [T, 1, T + 50]]], 100],
    ["one timestamp at the end: nothing is said after it", [T, 1, T + 50, T + 50, 2, T + 90], [[0, 100, [T, 1, T + 50]], [100, 180, [T + 50, 2, T + 90]]], 2000],
    ["no pair: one segment up to the last timestamp", [T, 1, 2, T + 70], [[0, 140, [T, 1, 2, T + 70]]], 2000],
    ["no end: one segment up to the sound's end", [T, 1, 2], [[0, 2000, [T, 1, 2]]], 2000],
    ["nothing", [], [], 2000],
  ] as const)("by %s", (_, tokens, segments, advance) => {
    const actual = cut(...tokens);
    expect(actual.segments.map(({ startFrame, endFrame, tokens: own }) => [startFrame, endFrame, own])).toEqual(segments);
    expect(actual.advance).toBe(advance);
  });
});

describe("features of windows", () => {
  const samples = Float32Array.from({ length: 16_000 * 7 + 77 }, (_, i) => Math.sin(i * i * 1e-5) * (i / 112_000));

  it("are those of the whole sound, and zeros after a long one", async () => {
    const whole = logMel(samples, 80);
    const features = await WindowFeatures.of(samples, 80, 300);
    expect(features.frames).toBe(whole.frames);
    expect([...features.window(301)]).toEqual([...whole.data.subarray(301 * 80, 601 * 80)]);
    const last = features.window(600);
    expect([...last.subarray(0, 100 * 80)]).toEqual([...whole.data.subarray(600 * 80)]);
    expect(last.subarray(100 * 80).every((value) => value === 0)).toBe(true);
  });

  it.each([700, 701, 900])("are those of a sound followed by silence when it fits into a window of %d frames", async (windowFrames) => {
    const features = await WindowFeatures.of(samples, 80, windowFrames);
    expect(features.frames).toBe(700);
    const padded = [...logMel(samples, 80, windowFrames * 160).data];
    expect([...features.window(0)]).toEqual(padded);
    expect([...features.window(450)]).toEqual([...padded.slice(450 * 80), ...Array<number>(450 * 80).fill(0)]);
  });
});
