import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import OpenAI, { toFile } from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadTranscriber, serve, type RunningServer, type Transcriber } from "../../src/index.js";
import { ProcessEngine } from "../../src/engine/host/process-engine.js";
import { decodeAudio } from "../../src/engine/audio/decode.js";
import { logMel } from "../../src/engine/audio/log-mel.js";
import { WhisperModel } from "../../src/engine/models/whisper/model.js";
import { decodeWindow } from "../../src/engine/transcribe/decode-window.js";
import { HeardWindow } from "../../src/engine/transcribe/heard-window.js";
import { resolveTranscribeOptions } from "../../src/engine/transcribe/options.js";
import { WhisperVocabulary } from "../../src/engine/transcribe/vocabulary.js";
import { FIXTURES } from "./support/golden.js";
import { WINDOW_SAMPLES } from "./support/whisper.js";

// The embedded speech model on recorded speech, against transformers and mlx-audio: three voices of espeak-ng, and flite's rms, which training never had.

interface Heard {
  sound: string;
  token_ids: number[];
  text: string;
  mlx_audio_text: string;
}

const { heard } = JSON.parse(readFileSync(`${FIXTURES}embedded/hear.json`, "utf8")) as { heard: Heard[] };
const MODELS = fileURLToPath(new URL("../../models/", import.meta.url));
const ENGINE_PROGRAM = new URL("../../dist/engine/host/main.js", import.meta.url);
const soundFile = (name: string): string => `${FIXTURES}embedded/sounds/${name}`;

it("has a reference for every recording", () => {
  expect(heard.map(({ sound }) => sound)).toEqual(readdirSync(`${FIXTURES}embedded/sounds`).sort());
});

describe("hear", () => {
  let transcriber: Transcriber;
  beforeAll(async () => {
    transcriber = await loadTranscriber("hear");
  });
  afterAll(() => transcriber.dispose());

  // In bfloat16, as it is used: times may differ by a step from those that float32 gives.
  it.each(heard)("writes the same text as transformers and mlx-audio: $sound", async ({ sound, text, mlx_audio_text: mlxAudioText }) => {
    const transcript = await transcriber.transcribe(soundFile(sound), { temperature: 0 });
    expect([transcript.text, transcript.text]).toEqual([text, mlxAudioText]);
  });

  it("computes the same tokens as transformers in float32, times included", async () => {
    using model = await WhisperModel.load(`${MODELS}hear`, { dtype: "float32", storedMatrices: true });
    const vocabulary = await WhisperVocabulary.load(`${MODELS}hear`, model.config);
    const options = resolveTranscribeOptions({ temperature: 0 });
    for (const { sound, token_ids: [start, ...tokens] } of heard) {
      const samples = await decodeAudio(soundFile(sound));
      using window = await HeardWindow.listen(model, logMel(samples, model.config.num_mel_bins, WINDOW_SAMPLES).data);
      const result = await decodeWindow(window, { prompt: [start!], frames: Math.floor(samples.length / 160), contextLength: model.config.max_target_positions, vocabulary, options, index: 0 });
      expect([sound, result.tokens]).toEqual([sound, tokens]);
    }
  });

  it("hears nothing in silence", async () => {
    expect(await transcriber.transcribe(new Float32Array(16_000), { temperature: 0 })).toMatchObject({ text: "", segments: [] });
  });

  it.each([-70, -60, -40])("hears nothing in noise of %d dB and the silence after it", async (decibels) => {
    let state = 1;
    const noise = Float32Array.from({ length: 70_000 }, () => ((state = (state * 48_271) % 2_147_483_647) / 2_147_483_647 - 0.5) * Math.sqrt(12) * 10 ** (decibels / 20));
    expect(await transcriber.transcribe(noise)).toMatchObject({ text: "", segments: [] });
  });
});

describe("served", () => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await serve({ engine: new ProcessEngine("hear", { program: ENGINE_PROGRAM }), model: "hear", port: 0 });
  });
  afterAll(() => server.close());

  it("answers transcriptions by its short name", async () => {
    const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none" });
    const [{ sound, text }] = heard as [Heard];
    const file = await toFile(readFileSync(soundFile(sound)), sound);
    expect(await client.audio.transcriptions.create({ file, model: "hear" })).toMatchObject({ text });
  });
});

it("fits with the other embedded models into 60 MB", () => {
  const files = readdirSync(MODELS, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const bytes = files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
  expect(bytes).toBeLessThanOrEqual(60e6);
});
