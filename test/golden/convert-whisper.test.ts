import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { convert } from "../../src/engine/convert/convert.js";
import type { ConvertOptions } from "../../src/engine/convert/options.js";
import { loadTranscriber } from "../../src/engine/transcribe/transcriber.js";
import { weightsOf } from "./support/converted.js";
import { readFloatTensors, writeFloatTensors } from "./support/float-tensors.js";
import { FIXTURES } from "./support/golden.js";
import { MlxWhisperCopy, SOUND } from "./support/whisper.js";

// What becomes of Whisper's folders besides the weights, which convert.test.ts holds against mlx-audio's: they are heard with as before.

const root = mkdtempSync(join(tmpdir(), "deskhand-convert-whisper-"));
afterAll(() => rmSync(root, { recursive: true }));

let made = 0;
const fresh = (): string => join(root, `model-${made++}`);
const source = (fixture: string): string => `${FIXTURES}${fixture}/model`;
const converted = async (fixture: string, options: Omit<ConvertOptions, "out"> = {}): Promise<string> => convert(source(fixture), { out: fresh(), ...options });

async function heardBy(dir: string): Promise<object[]> {
  await using transcriber = await loadTranscriber(dir);
  const { segments } = await transcriber.transcribe(SOUND, { language: "en", temperature: 0, wordTimestamps: true });
  return segments.map(({ tokenIds, words }) => ({ tokenIds, words: words!.map(({ word, start, end }) => ({ word, start, end })) }));
}

it("has the weights of a folder that is renamed by hand", async () => {
  using copy = new MlxWhisperCopy(source("whisper"));
  expect(weightsOf(await converted("whisper"))).toEqual(weightsOf(copy.dir));
});

it.each(["whisper", "whisper-en", "whisper-128-bf16"])("%s: hears as its original does, and what is made of it again is the same", async (fixture) => {
  const once = await converted(fixture);
  expect(await heardBy(once)).toEqual(await heardBy(source(fixture)));
  expect(weightsOf(await convert(once, { out: fresh() }))).toEqual(weightsOf(once));
});

describe.each([
  ["whisper-4bit", "mlx-whisper"],
  ["whisper-8bit", "mlx-audio"],
])("%s, a folder as %s writes it", (fixture) => {
  it("stays as it is", async () => {
    expect(weightsOf(await converted(fixture))).toEqual(weightsOf(source(fixture)));
  });

  it("is plain after dequantize, and hears as before", async () => {
    const plain = await converted(fixture, { dequantize: true });
    expect(new Set([...weightsOf(plain).values()].map(({ dtype }) => dtype))).toEqual(new Set(["F32"]));
    expect(JSON.parse(await readFile(join(plain, "config.json"), "utf8"))).not.toHaveProperty("quantization");
    expect(await heardBy(plain)).toEqual(await heardBy(source(fixture)));
  });
});

it("refuses a table of positions that was trained: MLX's layout has no place for it", async () => {
  const dir = fresh();
  cpSync(source("whisper"), dir, { recursive: true });
  const path = join(dir, "model.safetensors");
  const tensors = readFloatTensors(path);
  tensors.get("model.encoder.embed_positions.weight")!.data[100]! += 0.5;
  writeFloatTensors(path, tensors);
  await expect(convert(dir, { out: fresh() })).rejects.toMatchObject({ code: "unsupported_model", message: expect.stringMatching(/embed_positions.*0\.50 off/) as string });
});

it("refuses the mixed recipes, which choose by a decoder's layers", async () => {
  await expect(converted("whisper", { mixed: "mixed_4_6" })).rejects.toMatchObject({ code: "unsupported_model", message: expect.stringMatching(/without a recipe/) as string });
});
