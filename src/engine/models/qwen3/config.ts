import { z } from "zod";
import { QuantizationConfig } from "../../nn/quantization.js";

/** config.json of `qwen3`; fields that change the computation and are not supported are refused by name. */
export const Qwen3Config = z
  .object({
    model_type: z.literal("qwen3"),
    hidden_size: z.number().int().positive(),
    num_hidden_layers: z.number().int().positive(),
    intermediate_size: z.number().int().positive(),
    num_attention_heads: z.number().int().positive(),
    num_key_value_heads: z.number().int().positive(),
    head_dim: z.number().int().positive(),
    rms_norm_eps: z.number().positive(),
    vocab_size: z.number().int().positive(),
    max_position_embeddings: z.number().int().positive(),
    tie_word_embeddings: z.boolean().default(false),
    attention_bias: z.literal(false).default(false),
    hidden_act: z.literal("silu").default("silu"),
    use_sliding_window: z.literal(false).default(false),
    rope_theta: z.number().positive().optional(),
    rope_scaling: z.null().optional(),
    rope_parameters: z.object({ rope_type: z.literal("default"), rope_theta: z.number().positive() }).optional(),
    quantization: QuantizationConfig.optional(),
  })
  // The hub's folders say rope_theta at the top, newer transformers nests it.
  .transform(({ rope_theta, rope_parameters, ...config }) => ({ ...config, rope_theta: rope_parameters?.rope_theta ?? rope_theta ?? 1_000_000 }));

export type Qwen3Config = z.output<typeof Qwen3Config>;
