import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeAudio } from "../../../src/engine/audio/decode.js";
import { logMel } from "../../../src/engine/audio/log-mel.js";
import { scope, tensor } from "../../../src/engine/mlx/index.js";
import { WhisperModel } from "../../../src/engine/models/whisper/model.js";
import { readFloatTensors, writeFloatTensors, type FloatTensor } from "./float-tensors.js";
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

/** What OpenAI calls the parts that transformers names so, as mlx-audio translates them (`whisper.py`, `sanitize`). */
const OPENAI_NAMES: readonly (readonly [string, string])[] = [
  ["model.", ""],
  ["decoder.embed_positions.weight", "decoder.positional_embedding"],
  ["encoder.layer_norm.", "encoder.ln_post."],
  ["decoder.layer_norm.", "decoder.ln."],
  [".layers.", ".blocks."],
  [".self_attn_layer_norm.", ".attn_ln."],
  [".final_layer_norm.", ".mlp_ln."],
  [".encoder_attn_layer_norm.", ".cross_attn_ln."],
  [".fc1.", ".mlp1."],
  [".fc2.", ".mlp2."],
  [".self_attn.", ".attn."],
  [".encoder_attn.", ".cross_attn."],
  [".q_proj.", ".query."],
  [".k_proj.", ".key."],
  [".v_proj.", ".value."],
  [".out_proj.", ".out."],
  ["decoder.embed_tokens.", "decoder.token_embedding."],
];

/** A copy of a float32 Whisper folder as mlx-audio writes it: OpenAI's names, kernels with their channels last, no table of the encoder's positions. */
export class MlxWhisperCopy implements Disposable {
  readonly dir = mkdtempSync(join(tmpdir(), "deskhand-whisper-"));

  constructor(source: string) {
    cpSync(source, this.dir, { recursive: true });
    const path = join(this.dir, "model.safetensors");
    const tensors = new Map<string, FloatTensor>();
    for (const [name, tensor] of readFloatTensors(path)) {
      if (name === "model.encoder.embed_positions.weight") continue;
      const renamed = OPENAI_NAMES.reduce((text, [from, to]) => text.replace(from, to), name);
      tensors.set(renamed, tensor.shape.length === 3 ? channelsLast(tensor) : tensor);
    }
    writeFloatTensors(path, tensors);
  }

  [Symbol.dispose](): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** `[O, C, W]` as `[O, W, C]`. */
function channelsLast({ shape, data }: FloatTensor): FloatTensor {
  const [out, channels, width] = shape as [number, number, number];
  const turned = new Float32Array(data.length);
  for (let o = 0; o < out; o++) {
    for (let c = 0; c < channels; c++) for (let i = 0; i < width; i++) turned[(o * width + i) * channels + c] = data[(o * channels + c) * width + i]!;
  }
  return { shape: [out, width, channels], data: turned };
}
