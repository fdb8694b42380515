import type { Memory } from "../../cache/batch-cache.js";
import type { AttentionCache } from "../../cache/layer-cache.js";
import type { Tensor } from "../../mlx/index.js";
import { encoderShape, type EncoderShape } from "../../nn/encoder-shape.js";
import type { Linear } from "../../nn/linear.js";
import { disposeModules } from "../../nn/module.js";
import { outputHead } from "../../nn/output-head.js";
import type { LayoutAliases, Weights } from "../../nn/weights.js";
import type { Architecture, DecoderInput, MediaFeatures, MediaItem, Prompt, PromptPlan } from "../architecture.js";
import { MoeDecoder } from "../qwen3_moe/text.js";
import { planImages } from "../qwen3_vl/positions.js";
import { VisionTower } from "../qwen3_vl/vision.js";
import type { QwenSound } from "../qwen-omni-prompt.js";
import type { QwenImage } from "../qwen-vl-prompt.js";
import { AudioTower } from "./audio.js";
import type { Qwen3OmniMoeConfig } from "./config.js";

/** More than any tower has. */
const MAX_DEEPSTACK = 16;

/** Names of a merger's parts, which Qwen3-VL calls otherwise. */
const merger = (stored: string, path: string): LayoutAliases => [
  [`${stored}.ln_q.`, `${path}.norm.`],
  [`${stored}.mlp.0.`, `${path}.linear_fc1.`],
  [`${stored}.mlp.2.`, `${path}.linear_fc2.`],
];

/** The names of published folders, where the thinker is one part of three, and those of mlx-vlm. */
export const QWEN3_OMNI_ALIASES: LayoutAliases = [
  ["thinker.language_model.model.", "model.language_model."],
  ["thinker.language_model.lm_head.", "lm_head."],
  ["thinker.vision_tower.", "model.visual."],
  ["thinker.model.", "model.language_model."],
  ["thinker.lm_head.", "lm_head."],
  ["thinker.audio_tower.", "model.audio_tower."],
  ...merger("thinker.visual.merger", "model.visual.merger"),
  ...Array.from({ length: MAX_DEEPSTACK }, (_, i) => merger(`thinker.visual.merger_list.${i}`, `model.visual.deepstack_merger_list.${i}`)).flat(),
  ["thinker.visual.", "model.visual."],
];

/** Parts that speak: not needed to answer in text. */
const SPEAKING = ["talker.", "code2wav."];

/**
 * The thinker of Qwen3-Omni (arXiv:2509.17765): an audio tower, Qwen3-VL's vision tower, and Qwen3-MoE's decoder with positions on
 * three axes. Sound counts up on all of them as text does.
 */
export class Qwen3OmniMoeModel implements Architecture {
  readonly modelType = "qwen3_omni_moe";
  readonly vocabSize: number;
  readonly contextLength: number;
  readonly mediaTokenIds: readonly number[];
  readonly encoder: EncoderShape;
  readonly #thinker: Qwen3OmniMoeConfig["thinker_config"];
  readonly #vision: VisionTower;
  readonly #audio: AudioTower;
  readonly #text: MoeDecoder;
  readonly #lmHead: Linear | undefined;

  constructor(weights: Weights, { thinker_config: thinker, quantization }: Qwen3OmniMoeConfig) {
    const { text_config: text, tie_word_embeddings: tied } = thinker;
    for (const part of SPEAKING) weights.ignoreUnder(part);
    this.vocabSize = text.vocab_size;
    this.contextLength = text.max_position_embeddings;
    this.encoder = encoderShape(thinker.vision_config);
    this.mediaTokenIds = [thinker.image_token_id, thinker.audio_token_id];
    this.#thinker = thinker;
    this.#vision = new VisionTower(weights, "model.visual", thinker.vision_config, quantization);
    this.#audio = new AudioTower(weights, "model.audio_tower", thinker.audio_config, quantization);
    this.#text = new MoeDecoder(weights, "model.language_model", { ...text, quantization });
    this.#lmHead = outputHead(weights, { embeddings: "model.language_model.embed_tokens", tied, inputs: text.hidden_size, outputs: text.vocab_size, quantization });
  }

  createCache(): AttentionCache[] {
    return this.#text.createCache();
  }

  embed(ids: Tensor): Tensor {
    return this.#text.embedTokens.forward(ids);
  }

  encode(item: MediaItem): MediaFeatures {
    return item.kind === "audio" ? { embeddings: this.#audio.forward((item as QwenSound).features) } : this.#vision.forward(item as QwenImage);
  }

  plan({ tokenIds, media }: Prompt): PromptPlan {
    const pictures = media.filter(({ item }) => item.kind !== "audio");
    return planImages({ tokenIds, media: pictures }, this.#thinker.vision_config.spatial_merge_size, this.#thinker.text_config);
  }

  decode(input: DecoderInput, cache?: Memory<AttentionCache>[]): Tensor {
    return this.#text.forward(input, cache);
  }

  logits(hidden: Tensor): Tensor {
    return this.#lmHead?.forward(hidden) ?? this.#text.embedTokens.asLinear(hidden);
  }

  [Symbol.dispose](): void {
    disposeModules(this.#vision, this.#audio, this.#text, this.#lmHead);
  }
}
