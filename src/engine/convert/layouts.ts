import { add, contiguous, transpose, type Tensor } from "../mlx/index.js";
import { isConverted } from "../models/qwen3_5/text.js";
import { QWEN3_VL_ALIASES } from "../models/qwen3_vl/model.js";
import type { LayoutAliases, Weights } from "../nn/weights.js";

/** How a family's weights look in a folder written by mlx-lm, where the family sees pictures by mlx-vlm, where it writes down speech by mlx-audio. */
export interface MlxLayout {
  /** Path prefixes, as in `aliases`: `[in MLX's file, literal Hugging Face path]`. Default: the family's `aliases`. */
  names?: LayoutAliases;
  /** How MLX's folders change the values or axes of the weight at a literal Hugging Face path; `undefined`: not at all, or done already. */
  rewrite?: (path: string, weights: Weights) => ((stored: Tensor) => Tensor) | undefined;
  /** MLX's names of layers that get 8 bits where no recipe chooses, since little hangs on their size and much on their values. */
  precise?: RegExp;
  /** MLX's names of layers that stay plain where no recipe chooses. */
  plain?: RegExp;
  /** MLX's names of weights that keep their type whatever is asked for. */
  fixedType?: RegExp;
  /** Set where MLX's class has an output head of its own even when it is tied: paths of the head, and of the embeddings that it is a copy of. */
  head?: { path: string; embeddings: string };
  /** mlx-vlm's recipes favour the embeddings too. */
  favoursEmbeddings?: boolean;
  /** Fields of config.json that say what the folder does not have. */
  config?: Readonly<Record<string, unknown>>;
}

/** Families that can be converted, by `model_type`: those whose layout has been held against MLX's tools. Stacks of experts need no word here. */
export const MLX_LAYOUTS: Readonly<Record<string, MlxLayout>> = {
  gemma3: {
    // The published names, but for the tower's one word more.
    names: [["vision_tower.vision_model.", "vision_tower."]],
    rewrite: kernel("vision_tower.embeddings.patch_embedding.weight"),
    head: { path: "language_model.lm_head", embeddings: "language_model.model.embed_tokens" },
    favoursEmbeddings: true,
  },
  gemma3_text: {},
  idefics3: idefics3(),
  llama: {},
  llava: llava(),
  llava_next: { ...llava(), head: { path: "lm_head", embeddings: "model.language_model.embed_tokens" } },
  ministral3: {},
  mistral: {},
  mistral3: { rewrite: kernel("model.vision_tower.patch_conv.weight"), plain: /lm_head$/, favoursEmbeddings: true },
  phi3: {},
  phi3_v: { rewrite: kernel("model.vision_embed_tokens.img_processor.vision_model.embeddings.patch_embedding.weight"), favoursEmbeddings: true },
  qwen2: {},
  qwen2_5_vl: qwenVL(),
  qwen2_vl: qwenVL(),
  // With the first word, also of folders that come without it.
  qwen3: { names: [] },
  qwen3_5: qwen35(),
  qwen3_5_moe: qwen35Moe(),
  qwen3_5_moe_text: { ...qwen35Moe(), names: QWEN3_VL_ALIASES },
  qwen3_5_text: { ...qwen35(), names: QWEN3_VL_ALIASES },
  qwen3_moe: { precise: /\.mlp\.gate$/ },
  qwen3_omni_moe: qwen3Omni(),
  qwen3_vl: qwenVL(),
  qwen3_vl_moe: qwenVL(),
  smolvlm: idefics3(),
  whisper: { rewrite: narrowKernel(/^model\.encoder\.conv\d\.weight$/) },
};

function idefics3(): MlxLayout {
  return {
    rewrite: kernel("model.vision_model.embeddings.patch_embedding.weight"),
    // mlx-vlm itself does not convert a tied SmolVLM, for want of the head; with the head written out it loads one.
    head: { path: "lm_head", embeddings: "model.text_model.embed_tokens" },
    favoursEmbeddings: true,
  };
}

function llava(): MlxLayout {
  return { rewrite: kernel("model.vision_tower.embeddings.patch_embedding.weight"), favoursEmbeddings: true };
}

function qwenVL(): MlxLayout {
  return { rewrite: kernel("model.visual.patch_embed.proj.weight"), favoursEmbeddings: true };
}

/** The thinker alone: config.json says so, or mlx-vlm would look for the parts that speak. */
function qwen3Omni(): MlxLayout {
  const vision = qwenVL();
  const soundKernel = narrowKernel(/^model\.audio_tower\.conv2d\d\.weight$/);
  return {
    ...vision,
    rewrite: (path, weights) => vision.rewrite?.(path, weights) ?? soundKernel(path, weights),
    precise: /\.mlp\.gate$/,
    config: { enable_audio_output: false },
  };
}

/** Norms stored as they are multiplied with, not as their distance from one; convolutions over time with their one input channel last. */
function qwen35(): MlxLayout {
  const shifted = /\.(input_layernorm|post_attention_layernorm|q_norm|k_norm)\.weight$|^model\.language_model\.norm\.weight$/;
  const vision = qwenVL();
  return {
    ...vision,
    rewrite(path, weights) {
      if (isConverted(weights, "model.language_model")) return vision.rewrite?.(path, weights);
      // In the stored type, though a small number's last digits go where that has few, for so do MLX's tools.
      if (shifted.test(path)) return (stored) => add(stored, 1);
      if (path.endsWith(".conv1d.weight")) return channelsLast;
      return vision.rewrite?.(path, weights);
    },
    fixedType: /\.A_log$/,
  };
}

function qwen35Moe(): MlxLayout {
  return { ...qwen35(), precise: /\.mlp\.(gate|shared_expert_gate)$/ };
}

/** Red, green, blue. */
const PICTURE_CHANNELS = 3;

/** A convolution over pictures: `[out, 3, …]` as published, `[out, …, 3]` in MLX. */
function kernel(name: string): NonNullable<MlxLayout["rewrite"]> {
  return (path, weights) => (path === name && weights.shapeOf(path)[1] === PICTURE_CHANNELS ? channelsLast : undefined);
}

/** Of convolutions over sound. */
const SOUND_WIDTH = 3;

/** A convolution over sound: `[out, channels, …, 3]` as published, `[out, …, 3, channels]` in MLX. */
function narrowKernel(name: RegExp): NonNullable<MlxLayout["rewrite"]> {
  return (path, weights) => (name.test(path) && weights.shapeOf(path).at(-1) === SOUND_WIDTH ? channelsLast : undefined);
}

function channelsLast(kernel: Tensor): Tensor {
  return contiguous(transpose(kernel, [0, ...kernel.shape.slice(2).map((_, i) => i + 2), 1]));
}

/** The name that MLX's folders give to a weight. */
export function mlxName(path: string, names: LayoutAliases): string {
  const found = names.find(([, prefix]) => path.startsWith(prefix));
  return found === undefined ? path : found[0] + path.slice(found[1].length);
}
