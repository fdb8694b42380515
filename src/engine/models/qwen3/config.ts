import { z } from "zod";
import { QuantizationConfig } from "../../nn/quantization.js";
import { ropeFields, ropeOf, type RopeFields, type RopeSettings } from "../../nn/rope.js";

const ROPE_BASE = 10_000;

/** How positions turn in Qwen3's attention, which rotates whole heads. */
export function qwen3Rope(fields: RopeFields, context: z.core.$RefinementCtx): RopeSettings {
  const rope = ropeOf(fields, { base: ROPE_BASE });
  if (rope.partialRotaryFactor !== 1) {
    context.addIssue({ code: "custom", path: ["partial_rotary_factor"], message: `Expected 1 but received ${rope.partialRotaryFactor}: this family rotates whole heads`, input: fields });
  }
  return rope;
}

/** Layers that see a window are not supported: without `use_sliding_window`, `sliding_window` and `max_window_layers` say nothing. */
export const fullAttentionFields = {
  use_sliding_window: z.literal(false).nullish(),
  layer_types: z.array(z.literal("full_attention")).nullish(),
};

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
    ...fullAttentionFields,
    ...ropeFields,
    quantization: QuantizationConfig.optional(),
  })
  .transform((config, context) => ({ ...config, rope: qwen3Rope(config, context) }));

export type Qwen3Config = z.output<typeof Qwen3Config>;
