import { z } from "zod";
import { QuantizationConfig } from "../../nn/quantization.js";
import { ropeFields, ropeOf } from "../../nn/rope.js";

const positive = z.number().int().positive();

/** config.json of `phi3`; fields that change the computation and are not supported are refused by name. */
export const Phi3Config = z
  .object({
    model_type: z.literal("phi3"),
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
    quantization: QuantizationConfig.optional(),
  })
  .transform(({ rope_theta, rope_scaling, rope_parameters, partial_rotary_factor, original_max_position_embeddings, ...config }, context) => {
    const rope = ropeOf({ rope_theta, rope_scaling, rope_parameters, partial_rotary_factor, original_max_position_embeddings }, { base: 10_000 });
    if (rope.scaling.rope_type !== "default" && rope.scaling.rope_type !== "longrope") {
      context.addIssue({ code: "custom", path: ["rope_scaling"], message: `Expected rope_type to be default or longrope but received ${rope.scaling.rope_type}`, input: rope });
    }
    return {
      ...config,
      rope,
      num_key_value_heads: config.num_key_value_heads ?? config.num_attention_heads,
      head_dim: config.head_dim ?? Math.floor(config.hidden_size / config.num_attention_heads),
    };
  });

export type Phi3Config = z.output<typeof Phi3Config>;
