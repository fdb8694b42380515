import type { ClipImageProcessor } from "../../image/clip-processor.js";
import { imageContentHash } from "../../image/decode.js";
import type { MediaItem, Processor, ProcessorInput, Prompt } from "../architecture.js";
import { layOutImages } from "../qwen-vl-prompt.js";
import type { LlavaConfig } from "./config.js";

/** A square cut into patches. */
export interface ClipImage extends MediaItem {
  pixelValues: Float32Array<ArrayBuffer>;
  mergedTokens: number;
}

/** LLaVA's prompt: a picture's mark becomes as many as the tower gives rows, the same for every picture. */
export class LlavaProcessor implements Processor {
  readonly #images: ClipImageProcessor;
  readonly #imageTokenId: number;
  readonly #tokens: number;

  constructor(images: ClipImageProcessor, config: LlavaConfig) {
    const { image_size, patch_size } = config.vision_config;
    this.#images = images;
    this.#imageTokenId = config.image_token_id;
    this.#tokens = Math.floor(image_size / patch_size) ** 2 + (config.vision_feature_select_strategy === "full" && config.vision_config.model_type === "clip_vision_model" ? 1 : 0);
  }

  prepare({ text, images, encode }: ProcessorInput): Prompt {
    const items = images.map((image) => ({
      item: { kind: "image" as const, pixelValues: this.#images.process(image), mergedTokens: this.#tokens },
      key: `${imageContentHash(image)} ${this.#images.settingsKey}`,
    }));
    return layOutImages(encode(text), items, this.#imageTokenId);
  }
}
