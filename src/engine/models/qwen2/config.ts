import { z } from "zod";
import { QuantizationConfig } from "../../nn/quantization.js";
import { ropeFields, ropeOf, type RopeSettings } from "../../nn/rope.js";

const positive = z.number().int().positive();
const ROPE_BASE = 10_000;

/** Fields of a Qwen2 decoder in config.json; those that change the computation and are not supported are refused by name. */
export const qwen2Fields = {
  hidden_size: positive,
  num_hidden_layers: positive,
  intermediate_size: positive,
  num_attention_heads: positive,
  num_key_value_heads: positive.nullable().default(32),
  head_dim: positive.nullish(),
  rms_norm_eps: z.number().positive(),
  vocab_size: positive,
  max_position_embeddings: positive,
  hidden_act: z.literal("silu").default("silu"),
  // With use_sliding_window false, sliding_window and max_window_layers say nothing.
  use_sliding_window: z.literal(false).nullish(),
  layer_types: z.array(z.literal("full_attention")).nullish(),
  tie_word_embeddings: z.boolean().nullish(),
  ...ropeFields,
};

/** What the decoder computes with: one spelling of everything. */
export interface Qwen2TextConfig {
  hidden_size: number;
  num_hidden_layers: number;
  intermediate_size: number;
  num_attention_heads: number;
  num_key_value_heads: number;
  head_dim: number;
  rms_norm_eps: number;
  vocab_size: number;
  max_position_embeddings: number;
  rope: RopeSettings;
}

type Fields = z.output<z.ZodObject<typeof qwen2Fields>>;

/** One spelling of the fields, in older and newer folders. */
export function qwen2TextConfig(fields: Fields, context: z.core.$RefinementCtx, { ropeBase = ROPE_BASE } = {}): Qwen2TextConfig {
  const rope = ropeOf(fields, { base: ropeBase });
  if (rope.partialRotaryFactor !== 1) {
    context.addIssue({ code: "custom", path: ["partial_rotary_factor"], message: `Expected 1 but received ${rope.partialRotaryFactor}: this family rotates whole heads`, input: fields });
  }
  return {
    hidden_size: fields.hidden_size,
    num_hidden_layers: fields.num_hidden_layers,
    intermediate_size: fields.intermediate_size,
    num_attention_heads: fields.num_attention_heads,
    num_key_value_heads: fields.num_key_value_heads ?? fields.num_attention_heads,
    head_dim: fields.head_dim ?? Math.floor(fields.hidden_size / fields.num_attention_heads),
    rms_norm_eps: fields.rms_norm_eps,
    vocab_size: fields.vocab_size,
    max_position_embeddings: fields.max_position_embeddings,
    rope,
  };
}

/** config.json of `qwen2`: Qwen2, Qwen2.5 and what is made of them. */
export const Qwen2Config = z.object({ model_type: z.literal("qwen2"), ...qwen2Fields, quantization: QuantizationConfig.optional() }).transform((config, context) => ({
  model_type: config.model_type,
  tie_word_embeddings: config.tie_word_embeddings ?? false,
  quantization: config.quantization,
  text: qwen2TextConfig(config, context),
}));

export type Qwen2Config = z.output<typeof Qwen2Config>;
