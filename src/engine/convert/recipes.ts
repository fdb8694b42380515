import { DeskhandError } from "../../core/errors.js";

/** Bits of most layers, and of those that matter most. The names are mlx-lm's and mlx-vlm's. */
export const RECIPES = {
  mixed_2_6: { low: 2, high: 6 },
  mixed_3_4: { low: 3, high: 4 },
  mixed_3_5: { low: 3, high: 5 },
  mixed_3_6: { low: 3, high: 6 },
  mixed_3_8: { low: 3, high: 8 },
  mixed_4_6: { low: 4, high: 6 },
  mixed_4_8: { low: 4, high: 8 },
} as const;

export type RecipeName = keyof typeof RECIPES;

/**
 * Which layers a recipe gives its higher bits: the output head, and values and down projections of the first and the last
 * eighth of the decoder and of every third layer between. As mlx-lm chooses (mlx_lm/convert.py, after llama.cpp's Q4_K_M).
 * @param layers MLX's names of everything that is to be quantised
 * @param embeddings the token embeddings too, as mlx-vlm chooses (mlx_vlm/convert.py)
 */
export function importantLayers(layers: readonly string[], { embeddings = false } = {}): (layer: string) => boolean {
  const downs = layers.filter((layer) => layer.includes("down_proj")).map((layer) => layer.split("."));
  // Where in a name the number of its decoder layer stands.
  const place = downs[0]?.findIndex((part) => /^\d+$/.test(part)) ?? -1;
  if (place < 0) throw new DeskhandError("unsupported_model", "Expected decoder layers with a down_proj, by which the mixed recipes choose, but the model has none. Quantise it without a recipe.");
  const count = Math.max(...downs.map((parts) => Number(parts[place]))) + 1;
  const eighth = Math.floor(count / 8);
  return (layer) => {
    if (layer.includes("lm_head") || (embeddings && layer.includes("embed_tokens"))) return true;
    const index = Number(layer.split(".")[place] ?? 0);
    const favoured = index < eighth || index >= Math.floor((7 * count) / 8) || (index - eighth) % 3 === 2;
    return favoured && /v_proj|v_a_proj|v_b_proj|down_proj/.test(layer);
  };
}
