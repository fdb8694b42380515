import { DeskhandError } from "../../../core/errors.js";
import { LogMelProcessor, soundContentHash } from "../../audio/log-mel-processor.js";
import { SAMPLE_RATE, type LogMel } from "../../audio/log-mel.js";
import { imageContentHash, type DecodedImage } from "../../image/decode.js";
import { QwenVLImageProcessor } from "../../image/qwen-vl-processor.js";
import type { MediaItem, Processor, ProcessorInput, Prompt } from "../architecture.js";
import { layOutMedia, type MediaPlaces, type QwenImage } from "../qwen-vl-prompt.js";
import { soundRows } from "./audio.js";
import type { Qwen25OmniConfig } from "./config.js";

/** A sound as the audio tower takes it. */
export interface QwenSound extends MediaItem {
  kind: "audio";
  features: LogMel;
}

type Places<Item extends MediaItem> = MediaPlaces["media"][number] & { item: Item };

/** Qwen-Omni's prompt: each picture's and each sound's mark becomes as many tokens as it has rows of features. */
export class Qwen25OmniProcessor implements Processor {
  readonly takesAudio = true;
  readonly #images: QwenVLImageProcessor;
  readonly #sounds: LogMelProcessor;
  readonly #imageTokenId: number;
  readonly #audioTokenId: number;

  constructor(images: QwenVLImageProcessor, sounds: LogMelProcessor, { thinker_config: thinker }: Qwen25OmniConfig) {
    this.#images = images;
    this.#sounds = sounds;
    this.#imageTokenId = thinker.image_token_index;
    this.#audioTokenId = thinker.audio_token_index;
  }

  /** @throws DeskhandError `invalid_model` when the folder's settings are missing, or do not go with its config.json. */
  static async load(dir: string, config: Qwen25OmniConfig): Promise<Qwen25OmniProcessor> {
    const sounds = await LogMelProcessor.load(dir);
    const { num_mel_bins: mels } = config.thinker_config.audio_config;
    if (sounds.mels !== mels) throw new DeskhandError("invalid_model", `Expected feature_size in ${dir}/preprocessor_config.json to be num_mel_bins of config.json, ${mels}, but it is ${sounds.mels}.`);
    return new Qwen25OmniProcessor(await QwenVLImageProcessor.load(dir), sounds, config);
  }

  prepare({ text, images, audio = [], encode }: ProcessorInput): Prompt {
    return layOutMedia(encode(text), [
      { kind: "picture", tokenId: this.#imageTokenId, media: images.map((image) => this.#see(image)) },
      { kind: "sound", tokenId: this.#audioTokenId, media: audio.map((samples) => this.#hear(samples)) },
    ]);
  }

  #see(image: DecodedImage): Places<QwenImage> {
    const processed = this.#images.process(image);
    return { item: { kind: "image", ...processed }, tokens: processed.mergedTokens, key: `${imageContentHash(image)} ${this.#images.settingsKey}` };
  }

  #hear(samples: Float32Array): Places<QwenSound> {
    const features = this.#sounds.process(samples);
    const tokens = soundRows(features.frames);
    if (tokens === 0) {
      throw new DeskhandError("unsupported_input", `Expected sound of more than 20 ms but received ${Math.round((samples.length * 1000) / SAMPLE_RATE)} ms. Give a file that has sound in it.`);
    }
    return { item: { kind: "audio", features }, tokens, key: `${soundContentHash(samples)} ${this.#sounds.settingsKey}` };
  }
}
