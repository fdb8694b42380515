import type { Memory } from "../../cache/batch-cache.js";
import type { AttentionCache } from "../../cache/layer-cache.js";
import type { Tensor } from "../../mlx/index.js";
import { encoderShape, type EncoderShape } from "../../nn/encoder-shape.js";
import { disposeModules } from "../../nn/module.js";
import { blockAxes, multiAxisRotary, positionIds } from "../../nn/mrope.js";
import type { LayoutAliases, Weights } from "../../nn/weights.js";
import type { Architecture, DecoderInput, MediaFeatures, MediaItem, Prompt, PromptPlan } from "../architecture.js";
import { Qwen2TextModel } from "../qwen2/text.js";
import { VisionTower } from "../qwen2_5_vl/vision.js";
import type { QwenSound } from "../qwen-omni-prompt.js";
import type { QwenImage } from "../qwen-vl-prompt.js";
import { AudioTower } from "./audio.js";
import type { Qwen25OmniConfig } from "./config.js";

/** The names of published folders, where the thinker is one part of three, and of a thinker saved alone; transformers 5 nests its parts under `model`. */
export const QWEN2_5_OMNI_ALIASES: LayoutAliases = ["thinker.", ""].flatMap((prefix) => [
  [`${prefix}lm_head.`, "lm_head."] as const,
  [`${prefix}audio_tower.`, "model.audio_tower."] as const,
  [`${prefix}visual.`, "model.visual."] as const,
  ...["embed_tokens", "layers", "norm"].map((part) => [`${prefix}model.${part}.`, `model.language_model.${part}.`] as const),
]);

/** Parts that speak: not needed to answer in text. */
const SPEAKING = ["talker.", "token2wav."];

/**
 * The thinker of Qwen2.5-Omni (arXiv:2503.20215): an audio tower, Qwen2.5-VL's vision tower, and Qwen2's decoder with positions on
 * three axes. Sound counts up on all of them as text does.
 */
export class Qwen25OmniModel implements Architecture {
  readonly modelType: string;
  readonly vocabSize: number;
  readonly contextLength: number;
  readonly mediaTokenIds: readonly number[];
  readonly encoder: EncoderShape;
  readonly #mergeSize: number;
  readonly #axes: Int32Array;
  readonly #vision: VisionTower;
  readonly #audio: AudioTower;
  readonly #text: Qwen2TextModel;

  constructor(weights: Weights, { model_type, thinker_config: thinker, quantization }: Qwen25OmniConfig) {
    const { text_config: text, vision_config: vision, audio_config: audio, tie_word_embeddings: tiedHead } = thinker;
    for (const part of SPEAKING) weights.ignoreUnder(part);
    this.modelType = model_type;
    this.vocabSize = text.vocab_size;
    this.contextLength = text.max_position_embeddings;
    this.encoder = encoderShape(vision);
    this.mediaTokenIds = [thinker.image_token_index, thinker.audio_token_index];
    this.#mergeSize = vision.spatial_merge_size;
    this.#axes = blockAxes(text.mrope_section);
    this.#vision = new VisionTower(weights, "model.visual", vision, quantization);
    this.#audio = new AudioTower(weights, "model.audio_tower", audio, quantization);
    this.#text = new Qwen2TextModel(weights, text, { path: "model.language_model", tiedHead, quantization });
  }

  createCache(): AttentionCache[] {
    return this.#text.createCache();
  }

  embed(ids: Tensor): Tensor {
    return this.#text.embed(ids);
  }

  encode(item: MediaItem): MediaFeatures {
    return { embeddings: item.kind === "audio" ? this.#audio.forward((item as QwenSound).features) : this.#vision.forward(item as QwenImage) };
  }

  plan({ tokenIds: { length }, media }: Prompt): PromptPlan {
    const images = media.filter(({ item }) => item.kind === "image").map(({ start, item }) => ({ start, gridThw: (item as QwenImage).gridThw }));
    if (images.length === 0) return { rows: (start) => ({ rotary: { offset: start, length } }), next: length };
    const { rope } = this.#text;
    return multiAxisRotary(positionIds(length, images, this.#mergeSize), { axes: this.#axes, frequencies: rope.frequencies(length), factor: rope.attentionFactor });
  }

  decode(input: DecoderInput, cache?: Memory<AttentionCache>[]): Tensor {
    return this.#text.forward(input, cache);
  }

  logits(hidden: Tensor): Tensor {
    return this.#text.logits(hidden);
  }

  [Symbol.dispose](): void {
    disposeModules(this.#vision, this.#audio, this.#text);
  }
}
