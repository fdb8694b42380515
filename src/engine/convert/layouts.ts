import type { LayoutAliases } from "../nn/weights.js";

/** How a family's weights look in a folder written by mlx-lm or mlx-vlm. */
export interface MlxLayout {
  /** Path prefixes, as in `aliases`: `[in MLX's file, literal Hugging Face path]`. Default: the family's `aliases`. */
  names?: LayoutAliases;
  /** Literal Hugging Face paths of convolutions over pictures, `[out, 3, …]` there and `[out, …, 3]` in MLX. */
  kernels?: readonly string[];
  /** MLX's names of layers that get 8 bits where no recipe chooses, since little hangs on their size and much on their values. */
  precise?: RegExp;
}

/** Families that can be converted, by `model_type`: those whose layout has been held against MLX's tools. Stacks of experts need no word here. */
export const MLX_LAYOUTS: Readonly<Record<string, MlxLayout>> = {
  gemma3_text: {},
  idefics3: { kernels: ["model.vision_model.embeddings.patch_embedding.weight"] },
  llama: {},
  mistral: {},
  phi3: {},
  qwen2: {},
  qwen2_5_vl: { kernels: ["model.visual.patch_embed.proj.weight"] },
  qwen2_vl: { kernels: ["model.visual.patch_embed.proj.weight"] },
  qwen3: {},
  qwen3_moe: { precise: /\.mlp\.gate$/ },
  qwen3_vl: { kernels: ["model.visual.patch_embed.proj.weight"] },
  qwen3_vl_moe: { kernels: ["model.visual.patch_embed.proj.weight"] },
};

/** The name that MLX's folders give to a weight. */
export function mlxName(path: string, names: LayoutAliases): string {
  const found = names.find(([, prefix]) => path.startsWith(prefix));
  return found === undefined ? path : found[0] + path.slice(found[1].length);
}
