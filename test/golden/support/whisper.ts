import { readFileSync } from "node:fs";
import { decodeAudio } from "../../../src/engine/audio/decode.js";
import { logMel } from "../../../src/engine/audio/log-mel.js";
import { scope, tensor } from "../../../src/engine/mlx/index.js";
import { WhisperModel } from "../../../src/engine/models/whisper/model.js";
import { FIXTURES, readGolden, relativeError } from "./golden.js";

/** What every Whisper fixture hears. */
export const SOUND = `${FIXTURES}transcribe/sound.wav`;
/** 30 s. */
export const WINDOW_SAMPLES = 480_000;

/** Logits after every token of a Whisper fixture, heard by this engine. */
export async function whisperLogits(fixture: string, dtype: "float32" | "bfloat16" = "float32"): Promise<number[]> {
  const { sounds } = JSON.parse(readFileSync(`${FIXTURES}${fixture}/golden.json`, "utf8")) as { sounds: { decoder_input_ids: number[] } };
  using model = await WhisperModel.load(`${FIXTURES}${fixture}/model`, dtype === "float32" ? { dtype, storedMatrices: true } : { dtype });
  const { data, frames, mels } = logMel(await decodeAudio(SOUND), model.config.num_mel_bins, WINDOW_SAMPLES);
  const cache = model.decoder.createCache();
  try {
    using logits = scope(() => {
      const heard = model.decoder.listen(model.encoder.forward(tensor(data, [1, frames, mels])));
      const ids = tensor(Int32Array.from(sounds.decoder_input_ids), [1, sounds.decoder_input_ids.length]);
      return model.decoder.logits(model.decoder.forward(ids, heard, cache));
    });
    return logits.toArray();
  } finally {
    for (const layer of cache) layer[Symbol.dispose]();
  }
}

/** The largest difference of a Whisper fixture's logits, in float32, as a part of the largest logit. */
export async function whisperLogitError(fixture: string): Promise<number> {
  return relativeError(await whisperLogits(fixture), readGolden(fixture).require("logits").data);
}
