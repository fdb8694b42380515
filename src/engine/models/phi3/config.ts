import { z } from "zod";
import { QuantizationConfig } from "../../nn/quantization.js";
import { ropeFields, ropeOf, type RopeSettings } from "../../nn/rope.js";

const positive = z.number().int().positive();
const ROPE_BASE = 10_000;

/** Fields of a Phi-3 decoder in config.json; those that change the computation and are not supported are refused by name. */
export const phi3Fields = {
  hidden_size: positive,
  num_hidden_layers: positive,
  intermediate_size: positive,
  num_attention_heads: positive,
  num_key_value_heads: positive.nullish(),
  head_dim: positive.nullish(),
  rms_norm_eps: z.number().positive().default(1e-5),
  vocab_size: positive,
  max_position_embeddings: positive,
  sliding_window: positive.nullish(),
  hidden_act: z.literal("silu").default("silu"),
  attention_bias: z.literal(false).default(false),
  tie_word_embeddings: z.boolean().default(false),
  ...ropeFields,
};

/** What the decoder computes with: one spelling of everything. */
export interface Phi3TextConfig {
  hidden_size: number;
  num_hidden_layers: number;
  intermediate_size: number;
  num_attention_heads: number;
  num_key_value_heads: number;
  head_dim: number;
  rms_norm_eps: number;
  vocab_size: number;
  max_position_embeddings: number;
  /** How many rows each row sees, itself included; `undefined`: all before it. */
  sliding_window: number | undefined;
  tie_word_embeddings: boolean;
  rope: RopeSettings;
}

export function phi3TextConfig(fields: z.output<z.ZodObject<typeof phi3Fields>>, context: z.core.$RefinementCtx): Phi3TextConfig {
  const { hidden_size, num_attention_heads, sliding_window: window, max_position_embeddings } = fields;
  const rope = ropeOf(fields, { base: ROPE_BASE });
  if (rope.scaling.rope_type !== "default" && rope.scaling.rope_type !== "longrope") {
    const field = fields.rope_scaling == null ? "rope_parameters" : "rope_scaling";
    context.addIssue({ code: "custom", path: [field], message: `Expected rope_type to be default or longrope but received ${rope.scaling.rope_type}`, input: rope });
  }
  return {
    hidden_size,
    num_hidden_layers: fields.num_hidden_layers,
    intermediate_size: fields.intermediate_size,
    num_attention_heads,
    num_key_value_heads: fields.num_key_value_heads ?? num_attention_heads,
    head_dim: fields.head_dim ?? Math.floor(hidden_size / num_attention_heads),
    rms_norm_eps: fields.rms_norm_eps,
    vocab_size: fields.vocab_size,
    max_position_embeddings,
    // A window that no prompt outgrows is none.
    sliding_window: window != null && window < max_position_embeddings ? window : undefined,
    tie_word_embeddings: fields.tie_word_embeddings,
    rope,
  };
}

/** config.json of `phi3`; fields that change the computation and are not supported are refused by name. */
export const Phi3Config = z
  .object({ model_type: z.literal("phi3"), ...phi3Fields, quantization: QuantizationConfig.optional() })
  .transform(({ model_type, quantization, ...fields }, context) => ({ model_type, quantization, text: phi3TextConfig(fields, context) }));

export type Phi3Config = z.output<typeof Phi3Config>;
