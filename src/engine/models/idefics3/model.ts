import type { Memory } from "../../cache/batch-cache.js";
import type { AttentionCache } from "../../cache/layer-cache.js";
import { reshape, transpose, type Tensor } from "../../mlx/index.js";
import { encoderShape, type EncoderShape } from "../../nn/encoder-shape.js";
import { Linear } from "../../nn/linear.js";
import { disposeModules } from "../../nn/module.js";
import type { LayoutAliases, Weights } from "../../nn/weights.js";
import type { Architecture, DecoderInput, MediaFeatures, MediaItem, Prompt, PromptPlan } from "../architecture.js";
import { LlamaTextModel } from "../llama/text.js";
import type { Idefics3Config } from "./config.js";
import type { Idefics3Image } from "./processor.js";
import { VisionTower } from "./vision.js";

/** Folders written by mlx-vlm name the parts of the model otherwise. */
export const IDEFICS3_ALIASES: LayoutAliases = [
  ["language_model.lm_head.", "lm_head."],
  ["language_model.", "model.text_model."],
  ["vision_model.", "model.vision_model."],
  ["connector.", "model.connector."],
];

/** Idefics3 and SmolVLM: a SigLIP tower over tiles, a pixel shuffle, a Llama. */
export class Idefics3Model implements Architecture {
  readonly modelType: string;
  readonly vocabSize: number;
  readonly contextLength: number;
  readonly mediaTokenIds: readonly number[];
  readonly encoder: EncoderShape;
  readonly #scale: number;
  readonly #vision: VisionTower;
  readonly #projection: Linear;
  readonly #text: LlamaTextModel;

  constructor(weights: Weights, config: Idefics3Config) {
    const { text_config: text, vision_config: vision, scale_factor: scale, quantization } = config;
    this.modelType = config.model_type;
    this.vocabSize = text.vocab_size;
    this.contextLength = text.max_position_embeddings;
    this.encoder = encoderShape(vision);
    this.mediaTokenIds = [config.image_token_id];
    this.#scale = scale;
    this.#vision = new VisionTower(weights, "model.vision_model", vision, quantization);
    this.#projection = new Linear(weights, "model.connector.modality_projection.proj", { inputs: vision.hidden_size * scale ** 2, outputs: text.hidden_size, bias: false, quantization });
    this.#text = new LlamaTextModel(weights, "model.text_model", text, quantization);
  }

  createCache(): AttentionCache[] {
    return this.#text.createCache();
  }

  embed(ids: Tensor): Tensor {
    return this.#text.embed(ids);
  }

  encode(item: MediaItem): MediaFeatures {
    const joined = pixelShuffle(this.#vision.forward(item as Idefics3Image), this.#scale);
    return { embeddings: this.#projection.forward(reshape(joined, [-1, joined.dim(-1)])) };
  }

  plan(prompt: Prompt): PromptPlan {
    return this.#text.plan(prompt);
  }

  decode(input: DecoderInput, cache?: Memory<AttentionCache>[]): Tensor {
    return this.#text.forward(input, cache);
  }

  logits(hidden: Tensor): Tensor {
    return this.#text.logits(hidden);
  }

  [Symbol.dispose](): void {
    disposeModules(this.#vision, this.#projection, this.#text);
  }
}

/** Joins squares of `scale`² patches, rows first: `[tiles, side², D]` → `[tiles, (side / scale)², D · scale²]`. */
function pixelShuffle(x: Tensor, scale: number): Tensor {
  const [tiles, patches, dims] = x.shape as [number, number, number];
  const side = Math.sqrt(patches) / scale;
  const squares = transpose(reshape(x, [tiles, side, scale, side, scale * dims]), [0, 1, 3, 2, 4]);
  return reshape(squares, [tiles, side * side, scale * scale * dims]);
}
