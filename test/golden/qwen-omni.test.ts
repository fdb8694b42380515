import { execFileSync } from "node:child_process";
import { cp, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeAudio } from "../../src/engine/audio/decode.js";
import { LogMelProcessor } from "../../src/engine/audio/log-mel-processor.js";
import { logMel, SAMPLE_RATE } from "../../src/engine/audio/log-mel.js";
import { Session } from "../../src/engine/cache/session.js";
import type { ChatMessage } from "../../src/engine/messages.js";
import { disposeAll, evaluated, scope, type Tensor } from "../../src/engine/mlx/index.js";
import { load, type Model } from "../../src/engine/model.js";
import { soundRows } from "../../src/engine/models/qwen2_5_omni/audio.js";
import { soundRows as qwen3SoundRows } from "../../src/engine/models/qwen3_omni_moe/audio.js";
import type { QwenSound } from "../../src/engine/models/qwen-omni-prompt.js";
import type { QwenImage } from "../../src/engine/models/qwen-vl-prompt.js";
import { positionIds } from "../../src/engine/nn/mrope.js";
import { loadEngine, logitsOf, promptOf, type Engine } from "./support/engine.js";
import { prefill } from "./support/generate.js";
import { FIXTURES, readGolden, relativeError, type Golden, type GoldenCase } from "./support/golden.js";
import { MlxCopy } from "./support/layout.js";
import { ModelCopy } from "./support/model-copy.js";

// How Qwen-Omni hears: features of sounds, rows of the audio towers and positions against transformers; sounds of every length; what
// the cache keeps of them; the layouts folders come in, and what is refused.

/** float32 arithmetic in another order. */
const TOLERANCE = 1e-4;
const DIR = `${FIXTURES}qwen2-5-omni/model`;

const named = ({ cases }: Golden, name: string): GoldenCase => cases.find((one) => one.name === name)!;

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true });
});

async function copyOf(source: string): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "deskhand-omni-"));
  folders.push(dir);
  await cp(source, dir, { recursive: true });
  return dir;
}

const silence = (samples: number): Float32Array<ArrayBuffer> => new Float32Array(samples);
const tone = (hertz: number, samples: number): Float32Array<ArrayBuffer> => Float32Array.from({ length: samples }, (_, i) => 0.3 * Math.sin((2 * Math.PI * hertz * i) / SAMPLE_RATE));

describe.each(["qwen2-5-omni", "qwen3-omni"])("%s against transformers", (fixture) => {
  const golden = readGolden(fixture);
  const having = (tensor: string): GoldenCase[] => golden.cases.filter(({ name }) => golden.tensor(`${name}.${tensor}`) !== undefined);
  let engine: Engine;
  beforeAll(async () => void (engine = await loadEngine(`${FIXTURES}${fixture}/model`)));
  afterAll(() => engine.architecture[Symbol.dispose]());

  const soundsOf = async (one: GoldenCase): Promise<QwenSound[]> => (await promptOf(engine, one)).media.map(({ item }) => item).filter((item): item is QwenSound => item.kind === "audio");

  it.each(having("input_features"))("$name: the same log-mel features", async (one) => {
    const actual = (await soundsOf(one)).flatMap(({ features: { data } }) => Array.from(data));
    // The reference's transform is in float32.
    expect(relativeError(actual, golden.require(`${one.name}.input_features`).data)).toBeLessThan(TOLERANCE);
  });

  it.each(having("audio_output"))("$name: hears the same", async (one) => {
    const items = await soundsOf(one);
    const features = scope(() => items.map((item) => engine.architecture.encode!(item).embeddings));
    try {
      await evaluated(...features);
      expect(relativeError(features.flatMap((rows) => rows.toArray()), golden.require(`${one.name}.audio_output`).data)).toBeLessThan(TOLERANCE);
    } finally {
      disposeAll(features);
    }
  });

  it.each(golden.cases)("$name: stands at the same positions", async (one) => {
    const { tokenIds, media } = await promptOf(engine, one);
    const images = media.filter(({ item }) => item.kind === "image").map(({ start, item }) => ({ start, gridThw: (item as QwenImage).gridThw }));
    const { ids, next } = positionIds(tokenIds.length, images, 2);
    expect(Array.from(ids)).toEqual(Array.from(golden.require(`${one.name}.position_ids`).data));
    expect(next - tokenIds.length).toBe(one.rope_delta);
  });
});

describe("Qwen2.5-Omni, sounds of every length", () => {
  const processor = new LogMelProcessor({ feature_size: 8, chunk_length: 2 }, "silence");

  it.each([1, 159, 160, 161, 321, 4000, 31_841, 31_999, 32_000])("%i samples: as if silence followed to the limit", (length) => {
    const samples = tone(700, length);
    const { data, frames } = processor.process(samples);
    expect(frames).toBe(Math.ceil(length / 160));
    expect(data).toEqual(logMel(samples, 8, 32_000).data.slice(0, frames * 8));
  });

  it("take a row of every four frames", () => {
    expect([0, 1, 2, 3, 4, 5, 6, 7, 8, 30_000].map(soundRows)).toEqual([0, 0, 0, 1, 1, 1, 1, 2, 2, 7500]);
  });

  it("longer than the model hears are refused, saying how long they may be", () => {
    expect(() => processor.process(silence(32_001))).toThrow("Expected sound of at most 2 s but received 2.0 s");
  });

  it.each([
    [0, "0 ms"],
    [100, "6 ms"],
    [320, "20 ms"],
  ])("of %i samples, too short for a row, are refused", async (length, shown) => {
    await using model = await load(DIR);
    await expect(model.generate("What is this?", { audio: [silence(length)] })).rejects.toMatchObject({ code: "unsupported_input", message: expect.stringContaining(shown) as string });
  });

  it("in stereo at another rate are heard as one voice at 16 kHz", async () => {
    const frames = 44_100;
    const wav = Buffer.alloc(44 + 4 * frames);
    wav.write("RIFF\0\0\0\0WAVEfmt ", "latin1");
    wav.writeUInt32LE(16, 16);
    [1, 2].forEach((value, i) => wav.writeUInt16LE(value, 20 + 2 * i));
    wav.writeUInt32LE(44_100, 24);
    wav.writeUInt16LE(16, 34);
    wav.write("data", 36, "latin1");
    wav.writeUInt32LE(4 * frames, 40);
    // The left channel is silent.
    for (let i = 0; i < frames; i++) wav.writeInt16LE(Math.round(0.6 * 32_768 * Math.sin((2 * Math.PI * 700 * i) / 44_100)), 46 + 4 * i);
    const heard = processor.process(await decodeAudio(wav));
    const expected = processor.process(tone(700, 16_000));
    expect(heard.frames).toBe(100);
    const loudest = (data: Float32Array, frame: number): number => data.subarray(8 * frame, 8 * frame + 8).reduce((best, value, mel, all) => (value > all[best]! ? mel : best), 0);
    expect(loudest(heard.data, 50)).toBe(loudest(expected.data, 50));
    expect(Math.abs(Math.max(...heard.data) - Math.max(...expected.data))).toBeLessThan(0.01);
  });

  it("compressed, in stereo at 44.1 kHz, are heard as what they were made of", async () => {
    const dir = await mkdtemp(join(tmpdir(), "deskhand-omni-"));
    folders.push(dir);
    const [wav, flac] = [`${FIXTURES}sounds/sweep.wav`, join(dir, "sweep.flac")];
    execFileSync("ffmpeg", ["-v", "error", "-i", wav, "-ar", "44100", "-ac", "2", flac]);
    const [expected, heard] = [processor.process(await decodeAudio(wav)), processor.process(await decodeAudio(flac))];
    expect(heard.frames).toBe(expected.frames);
    // Features go from -1 to 1. What differs is the band next to 8 kHz, where either resampler falls off.
    const difference = heard.data.reduce((sum, value, i) => sum + Math.abs(value - expected.data[i]!), 0) / heard.data.length;
    expect(difference).toBeLessThan(0.02);
  });

  it.each([
    ["hop_length", 320],
    ["n_fft", 512],
    ["sampling_rate", 8000],
    ["dither", 0.1],
    ["padding_value", 1],
    ["feature_extractor_type", "SeamlessM4TFeatureExtractor"],
  ])("need settings that are computed: another %s is refused by name", (field, value) => {
    expect(() => new LogMelProcessor({ [field]: value }, "silence")).toThrow(field);
  });
});

describe("Qwen3-Omni, sounds of every length", () => {
  it("take 13 rows a second, and of the last a row of every eight frames", () => {
    expect([0, 1, 8, 9, 99, 100, 101, 223].map((frames) => qwen3SoundRows(frames, 100))).toEqual([0, 1, 1, 2, 13, 13, 14, 29]);
  });

  it("may be longer than chunk_length says", () => {
    const { frames } = new LogMelProcessor({ feature_size: 8, chunk_length: 1 }, "mirrored").process(tone(700, 40_100));
    expect(frames).toBe(250);
  });

  it("are convolved second by second: many are as good as few", async () => {
    const engine = await loadEngine(`${FIXTURES}qwen3-omni/model`);
    using _ = engine.architecture;
    // 40 equal seconds, more than are convolved at a time; windows of two do not see each other.
    const second = Float32Array.from({ length: 100 * 128 }, (_, i) => Math.sin(i * i));
    const item = (count: number): QwenSound => ({ kind: "audio", features: { data: Float32Array.from({ length: count * second.length }, (_, i) => second[i % second.length]!), frames: 100 * count, mels: 128 } });
    const [few, many] = scope(() => [item(2), item(40)].map((sound) => engine.architecture.encode!(sound).embeddings)) as [Tensor, Tensor];
    await evaluated(few, many);
    const rows = few.toArray();
    expect(relativeError(many.toArray(), Array.from({ length: 20 }, () => rows).flat())).toBeLessThan(1e-5);
    disposeAll([few, many]);
  });

  it("too short for a row are refused", async () => {
    await using model = await load(`${FIXTURES}qwen3-omni/model`);
    await expect(model.generate("What is this?", { audio: [silence(159)] })).rejects.toMatchObject({ code: "unsupported_input", message: expect.stringContaining("10 ms") as string });
    await expect(model.generate("What is this?", { audio: [silence(160)], maxTokens: 1 })).resolves.toMatchObject({ completionTokens: 1 });
  });

  it("are heard alike from a folder that mlx-vlm named", async () => {
    const golden = readGolden("qwen3-omni");
    const one = named(golden, "picture_and_sound");
    using copy = new MlxCopy(`${FIXTURES}qwen3-omni/model`, (name) => {
      if (name.startsWith("thinker.visual.")) return name.replace("visual", "vision_tower").replace("merger_list", "deepstack_merger_list").replace("ln_q", "norm").replace(/(merger.*)mlp\.0/, "$1linear_fc1").replace(/(merger.*)mlp\.2/, "$1linear_fc2");
      return name.replace(/^thinker\.(model|lm_head)\./, "thinker.language_model.$1.");
    });
    const engine = await loadEngine(copy.dir);
    using _ = engine.architecture;
    using logits = logitsOf(engine.architecture, await promptOf(engine, one), golden.require(`${one.name}.logit_positions`).data as Int32Array<ArrayBuffer>);
    expect(relativeError(logits.toArray(), golden.require(`${one.name}.logits`).data)).toBeLessThan(TOLERANCE);
  });

  it.each([
    ["audio_config.activation_function", { activation_function: "relu" }],
    ["audio_config.output_dim", { output_dim: 32 }],
    ["audio_config.n_window", { n_window: 40 }],
    ["audio_config.n_window_infer", { n_window_infer: 99 }],
  ])("need a config that is computed: another %s is refused by name", async (field, change) => {
    using copy = new ModelCopy(`${FIXTURES}qwen3-omni/model`);
    const { thinker_config, ...config } = JSON.parse(await readFile(`${FIXTURES}qwen3-omni/model/config.json`, "utf8")) as { thinker_config: { audio_config: object } };
    copy.writeConfig({ ...config, thinker_config: { ...thinker_config, audio_config: { ...thinker_config.audio_config, ...change } } });
    await expect(loadEngine(copy.dir)).rejects.toMatchObject({ code: "unsupported_model", message: expect.stringContaining(`thinker_config.${field}`) as string });
  });
});

describe.each(["qwen2-5-omni", "qwen3-omni"])("the cache of %s", (fixture) => {
  const dir = `${FIXTURES}${fixture}/model`;
  let engine: Engine;
  let model: Model;
  beforeAll(async () => {
    engine = await loadEngine(dir);
    model = await load(dir);
  });
  afterAll(async () => {
    engine.architecture[Symbol.dispose]();
    await model.dispose();
  });

  const SAMPLING = { temperature: 0, repetitionPenalty: 1, maxTokens: 8 };
  const ask = (samples: Float32Array, text = "What is this sound?"): ChatMessage[] => [{ role: "user", content: [{ type: "audio", audio: samples }, { type: "text", text }] }];
  const fresh = async (messages: ChatMessage[]): Promise<number[]> => {
    await using other = await load(dir);
    return (await other.chat(messages, SAMPLING)).tokenIds;
  };

  it.each([1, 7, 16, 1000])("a prompt with sounds and a picture, %i rows at a time, is the whole", async (chunk) => {
    const prompt = await promptOf(engine, named(readGolden(fixture), "second_turn"));
    using session = new Session(engine.architecture.createCache());
    using last = await prefill(engine.architecture, prompt, session, { chunk });
    using whole = logitsOf(engine.architecture, prompt, Int32Array.of(prompt.tokenIds.length - 1));
    expect(relativeError(last.toArray(), whole.toArray())).toBeLessThan(TOLERANCE);
  });

  it("a second turn continues after the first one's sound, and answers as without it", async () => {
    const first = ask(tone(500, 8000));
    const { promptTokens } = await model.chat(first, { ...SAMPLING, maxTokens: 1 });
    const second: ChatMessage[] = [...first, { role: "assistant", content: "A tone." }, { role: "user", content: [{ type: "audio", audio: tone(900, 9000) }, { type: "text", text: "And now?" }] }];
    const { cachedTokens, tokenIds } = await model.chat(second, SAMPLING);
    expect(cachedTokens).toBe(promptTokens);
    expect(tokenIds).toEqual(await fresh(second));
  });

  it("another sound of the same length is heard anew; the same one is not", async () => {
    const [low, high] = [tone(300, 8000), tone(3000, 8000)];
    // One token: what is cached then is the prompt.
    const one = await model.chat(ask(low), { ...SAMPLING, maxTokens: 1 });
    const again = await model.chat(ask(low), { ...SAMPLING, maxTokens: 1 });
    expect(again.cachedTokens).toBe(again.promptTokens - 1);
    expect(again.tokenIds).toEqual(one.tokenIds);
    const other = await model.chat(ask(high), SAMPLING);
    expect(other.promptTokens).toBe(one.promptTokens);
    // The system message and what begins the user's: everything before the sound, and nothing of it.
    expect(other.cachedTokens).toBe(27);
    expect(other.tokenIds).toEqual(await fresh(ask(high)));
  });
});

describe("folders of Qwen2.5-Omni", () => {
  const golden = readGolden("qwen2-5-omni");
  const case_ = named(golden, "picture_and_sound");
  const answers = async (dir: string): Promise<number[]> => {
    const engine = await loadEngine(dir);
    using _ = engine.architecture;
    using logits = logitsOf(engine.architecture, await promptOf(engine, case_), golden.require(`${case_.name}.logit_positions`).data as Int32Array<ArrayBuffer>);
    return logits.toArray();
  };
  const edit = async (dir: string, name: string, change: (content: Record<string, unknown>) => unknown): Promise<void> => {
    await writeFile(join(dir, name), JSON.stringify(change(JSON.parse(await readFile(join(dir, name), "utf8")) as Record<string, unknown>)));
  };
  const renameWeights = async (dir: string, change: (name: string) => string): Promise<void> => {
    const path = join(dir, "model.safetensors");
    const bytes = await readFile(path);
    const end = 8 + Number(bytes.readBigUInt64LE());
    const header = JSON.parse(bytes.toString("utf8", 8, end)) as Record<string, unknown>;
    const text = Buffer.from(JSON.stringify(Object.fromEntries(Object.entries(header).map(([name, value]) => [name === "__metadata__" ? name : change(name), value]))));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(text.length));
    await writeFile(path, Buffer.concat([length, text, bytes.subarray(end)]));
  };
  /** What transformers calls its modules: the thinker's towers and decoder nested under `model`. */
  const nested = (name: string): string => name.replace(/^thinker\.(audio_tower|visual)\./, "model.$1.").replace(/^thinker\.model\./, "model.language_model.").replace(/^thinker\./, "");

  it("of a thinker saved alone, named as published or as transformers 5 names its modules, answer alike", async () => {
    const expected = await answers(DIR);
    for (const rename of [(name: string) => name.replace(/^thinker\./, ""), nested]) {
      const dir = await copyOf(DIR);
      await edit(dir, "config.json", ({ thinker_config }) => ({ ...(thinker_config as object), model_type: "qwen2_5_omni_thinker" }));
      await renameWeights(dir, rename);
      expect(await answers(dir)).toEqual(expected);
    }
  });

  it("with processor_config.json as transformers 5 writes it answer alike", async () => {
    const dir = await copyOf(DIR);
    await rename(join(dir, "preprocessor_config.json"), join(dir, "processor_config.json"));
    await edit(dir, "processor_config.json", (settings) => ({ image_processor: settings, feature_extractor: settings }));
    expect(await answers(dir)).toEqual(await answers(DIR));
  });

  it.each([
    ["audio_config.activation_function", (thinker: Record<string, unknown>) => ({ ...thinker, audio_config: { ...(thinker["audio_config"] as object), activation_function: "relu" } })],
    ["audio_config.output_dim", (thinker: Record<string, unknown>) => ({ ...thinker, audio_config: { ...(thinker["audio_config"] as object), output_dim: 32 } })],
    ["audio_config.n_window", (thinker: Record<string, unknown>) => ({ ...thinker, audio_config: { ...(thinker["audio_config"] as object), n_window: 61 } })],
    ["vision_config.hidden_act", (thinker: Record<string, unknown>) => ({ ...thinker, vision_config: { ...(thinker["vision_config"] as object), hidden_act: "relu" } })],
    ["text_config.use_sliding_window", (thinker: Record<string, unknown>) => ({ ...thinker, text_config: { ...(thinker["text_config"] as object), use_sliding_window: true } })],
  ])("that ask for another %s are refused by its name", async (field, change) => {
    const dir = await copyOf(DIR);
    await edit(dir, "config.json", ({ thinker_config, ...config }) => ({ ...config, thinker_config: change(thinker_config as Record<string, unknown>) }));
    await expect(loadEngine(dir)).rejects.toMatchObject({ code: "unsupported_model", message: expect.stringContaining(`thinker_config.${field}`) as string });
  });

  it("whose feature extractor is another model's are refused, naming the field", async () => {
    const dir = await copyOf(DIR);
    await edit(dir, "preprocessor_config.json", (settings) => ({ ...settings, feature_size: 80 }));
    await expect(loadEngine(dir)).rejects.toThrow(/feature_size.*128.*80/);
  });

  it("prompts with a place for a sound that is not there are refused", async () => {
    await using model = await load(DIR);
    await expect(model.generate("<|audio_bos|><|AUDIO|><|audio_eos|> Hear?", { raw: true })).rejects.toThrow("a place for each of its 0 sounds but it has 1");
    // What a user types is text.
    await expect(model.generate("Is <|AUDIO|> a mark?", { maxTokens: 1 })).resolves.toMatchObject({ completionTokens: 1 });
  });
});
