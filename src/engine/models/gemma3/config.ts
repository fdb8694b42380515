import { z } from "zod";
import { QuantizationConfig } from "../../nn/quantization.js";
import { Gemma3TextFields } from "../gemma3_text/config.js";

const positive = z.number().int().positive();

/** Defaults are those of transformers' `SiglipVisionConfig`. */
const VisionConfig = z.object({
  hidden_size: positive.default(768),
  intermediate_size: positive.default(3072),
  num_hidden_layers: positive.default(12),
  num_attention_heads: positive.default(12),
  num_channels: z.literal(3).default(3),
  image_size: positive.default(224),
  patch_size: positive.default(16),
  hidden_act: z.literal("gelu_pytorch_tanh").default("gelu_pytorch_tanh"),
  layer_norm_eps: z.number().positive().default(1e-6),
});

/** config.json of `gemma3`; fields that change the computation and are not supported are refused by name. */
export const Gemma3Config = z
  .object({
    model_type: z.literal("gemma3"),
    text_config: Gemma3TextFields,
    /** Absent in folders that mlx-lm converted for text alone. */
    vision_config: VisionConfig.optional(),
    mm_tokens_per_image: positive.default(256),
    image_token_index: z.number().int().nonnegative().optional(),
    image_token_id: z.number().int().nonnegative().optional(),
    tie_word_embeddings: z.boolean().optional(),
    quantization: QuantizationConfig.optional(),
  })
  .refine(({ vision_config: vision, mm_tokens_per_image: tokens }) => vision === undefined || Math.floor(vision.image_size / vision.patch_size) % Math.sqrt(tokens) === 0, {
    path: ["mm_tokens_per_image"],
    error: "Expected a square number whose root divides the picture's patches along a side",
  })
  .transform(({ image_token_index, image_token_id, ...config }) => ({
    ...config,
    image_token_id: image_token_id ?? image_token_index ?? 262_144,
    tie_word_embeddings: config.tie_word_embeddings ?? config.text_config.tie_word_embeddings,
  }));

export type Gemma3Config = z.output<typeof Gemma3Config>;
export type Gemma3VisionConfig = z.output<typeof VisionConfig>;
