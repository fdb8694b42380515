import { z } from "zod";
import type { Quantization } from "../mlx/index.js";
import type { Weights } from "./weights.js";

const Settings = z.object({
  bits: z.number().int().min(2).max(8),
  group_size: z.number().int().positive(),
  mode: z.enum(["affine", "mxfp4", "mxfp8", "nvfp4"]).default("affine"),
});

/** `quantization` of an MLX config.json: one setting for all, and per-layer overrides under the layer's stored name (`false`: not quantised). */
export const QuantizationConfig = Settings.catchall(z.union([z.boolean(), Settings.partial(), z.string()]));
export type QuantizationConfig = z.infer<typeof QuantizationConfig>;

/**
 * How the layer at `path` is quantised; `undefined` when its weights are plain. As in MLX, the presence of scales decides. Whoever
 * asks can bind packed weights, so the layer is noted as one that can be quantised.
 */
export function quantizationOf(weights: Weights, path: string, config: QuantizationConfig | undefined): Quantization | undefined {
  weights.layers.add(path);
  const stored = weights.storedName(`${path}.scales`)?.slice(0, -".scales".length);
  if (config === undefined || stored === undefined) return undefined;
  const override = config[stored];
  const own = typeof override === "object" ? override : {};
  return { bits: own.bits ?? config.bits, groupSize: own.group_size ?? config.group_size, mode: own.mode ?? config.mode };
}
