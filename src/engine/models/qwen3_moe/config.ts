import { z } from "zod";
import { QuantizationConfig } from "../../nn/quantization.js";
import { ropeFields } from "../../nn/rope.js";
import { fullAttentionFields, qwen3Rope } from "../qwen3/config.js";

const positive = z.number().int().positive();

/** The fields that say which layers have experts, and how many. */
export const MoeFields = {
  moe_intermediate_size: positive,
  num_experts: positive.optional(),
  num_local_experts: positive.optional(),
  num_experts_per_tok: positive,
  decoder_sparse_step: positive.default(1),
  mlp_only_layers: z.array(z.number().int().nonnegative()).nullable().default([]),
};

/** transformers knows the number of experts by two names. */
export function numberOfExperts(config: { num_experts?: number; num_local_experts?: number; num_experts_per_tok: number }, context: z.RefinementCtx): number {
  const count = config.num_experts ?? config.num_local_experts ?? 0;
  if (count === 0) context.addIssue({ code: "custom", path: ["num_experts"], message: "Expected the number of experts but received undefined", input: config });
  else if (config.num_experts_per_tok > count) context.addIssue({ code: "custom", path: ["num_experts_per_tok"], input: config, message: `Expected at most the ${count} experts there are` });
  return count;
}

/** config.json of `qwen3_moe`; fields that change the computation and are not supported are refused by name. */
export const Qwen3MoeConfig = z
  .object({
    model_type: z.literal("qwen3_moe"),
    hidden_size: positive,
    num_hidden_layers: positive,
    intermediate_size: positive,
    num_attention_heads: positive,
    num_key_value_heads: positive,
    head_dim: positive.optional(),
    rms_norm_eps: z.number().positive(),
    vocab_size: positive,
    max_position_embeddings: positive,
    tie_word_embeddings: z.boolean().default(false),
    attention_bias: z.literal(false).default(false),
    hidden_act: z.literal("silu").default("silu"),
    ...fullAttentionFields,
    ...MoeFields,
    norm_topk_prob: z.boolean().default(false),
    ...ropeFields,
    quantization: QuantizationConfig.optional(),
  })
  .transform((config, context) => ({
    ...config,
    head_dim: config.head_dim ?? config.hidden_size / config.num_attention_heads,
    rope: qwen3Rope(config, context),
    num_experts: numberOfExperts(config, context),
    mlp_only_layers: config.mlp_only_layers ?? [],
  }));

export type Qwen3MoeConfig = z.output<typeof Qwen3MoeConfig>;
