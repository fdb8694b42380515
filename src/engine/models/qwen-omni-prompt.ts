import { DeskhandError } from "../../core/errors.js";
import { LogMelProcessor, soundContentHash, type SoundEnd } from "../audio/log-mel-processor.js";
import { SAMPLE_RATE, type LogMel } from "../audio/log-mel.js";
import { imageContentHash, type DecodedImage } from "../image/decode.js";
import { QwenVLImageProcessor } from "../image/qwen-vl-processor.js";
import type { MediaItem, Processor, ProcessorInput, Prompt } from "./architecture.js";
import { layOutMedia, type MediaPlaces, type QwenImage } from "./qwen-vl-prompt.js";

/** A sound as the audio tower takes it. */
export interface QwenSound extends MediaItem {
  kind: "audio";
  features: LogMel;
}

export interface OmniSettings {
  imageTokenId: number;
  audioTokenId: number;
  /** Mel bands that the audio tower takes. */
  mels: number;
  soundEnd: SoundEnd;
  /** Rows that the audio tower makes of so many frames. */
  rows: (frames: number) => number;
}

type Places<Item extends MediaItem> = MediaPlaces["media"][number] & { item: Item };

/** Qwen-Omni's prompt: each picture's and each sound's mark becomes as many tokens as it has rows of features. */
export class QwenOmniProcessor implements Processor {
  readonly takesAudio = true;
  readonly #images: QwenVLImageProcessor;
  readonly #sounds: LogMelProcessor;
  readonly #settings: OmniSettings;

  constructor(images: QwenVLImageProcessor, sounds: LogMelProcessor, settings: OmniSettings) {
    this.#images = images;
    this.#sounds = sounds;
    this.#settings = settings;
  }

  /** @throws DeskhandError `invalid_model` when the folder's settings are missing, or do not go with its config.json. */
  static async load(dir: string, settings: OmniSettings): Promise<QwenOmniProcessor> {
    const sounds = await LogMelProcessor.load(dir, settings.soundEnd);
    if (sounds.mels !== settings.mels) throw new DeskhandError("invalid_model", `Expected feature_size in ${dir}/preprocessor_config.json to be num_mel_bins of config.json, ${settings.mels}, but it is ${sounds.mels}.`);
    return new QwenOmniProcessor(await QwenVLImageProcessor.load(dir), sounds, settings);
  }

  prepare({ text, images, audio = [], encode }: ProcessorInput): Prompt {
    return layOutMedia(encode(text), [
      { kind: "picture", tokenId: this.#settings.imageTokenId, media: images.map((image) => this.#see(image)) },
      { kind: "sound", tokenId: this.#settings.audioTokenId, media: audio.map((samples) => this.#hear(samples)) },
    ]);
  }

  #see(image: DecodedImage): Places<QwenImage> {
    const processed = this.#images.process(image);
    return { item: { kind: "image", ...processed }, tokens: processed.mergedTokens, key: `${imageContentHash(image)} ${this.#images.settingsKey}` };
  }

  #hear(samples: Float32Array): Places<QwenSound> {
    const features = this.#sounds.process(samples);
    const tokens = this.#settings.rows(features.frames);
    if (tokens === 0) {
      throw new DeskhandError("unsupported_input", `Expected sound of 30 ms at least but received ${Math.round((samples.length * 1000) / SAMPLE_RATE)} ms. Give a file that has sound in it.`);
    }
    return { item: { kind: "audio", features }, tokens, key: `${soundContentHash(samples)} ${this.#sounds.settingsKey}` };
  }
}
