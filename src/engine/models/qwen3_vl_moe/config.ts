import { z } from "zod";
import { QuantizationConfig } from "../../nn/quantization.js";
import { MoeFields, numberOfExperts } from "../qwen3_moe/config.js";
import { Qwen3VLTextFields, resolveQwen3VLRope, VisionConfig } from "../qwen3_vl/config.js";

const TextConfig = z.object({ ...Qwen3VLTextFields, ...MoeFields, norm_topk_prob: z.literal(true).default(true) }).transform((config, context) => ({
  ...resolveQwen3VLRope(config),
  /** Of prompts without pictures, whose axes agree. */
  rope: { base: resolveQwen3VLRope(config).rope_theta, scaling: { rope_type: "default" as const }, partialRotaryFactor: 1 },
  num_experts: numberOfExperts(config, context),
  mlp_only_layers: config.mlp_only_layers ?? [],
}));

/** config.json of `qwen3_vl_moe`; fields that change the computation and are not supported are refused by name. */
export const Qwen3VLMoeConfig = z
  .object({
    model_type: z.literal("qwen3_vl_moe"),
    text_config: TextConfig,
    vision_config: VisionConfig,
    image_token_id: z.number().int().nonnegative(),
    video_token_id: z.number().int().nonnegative().default(151_656),
    tie_word_embeddings: z.boolean().optional(),
    quantization: QuantizationConfig.optional(),
  })
  .transform((config) => ({ ...config, tie_word_embeddings: config.tie_word_embeddings ?? config.text_config.tie_word_embeddings ?? false }));

export type Qwen3VLMoeConfig = z.output<typeof Qwen3VLMoeConfig>;
