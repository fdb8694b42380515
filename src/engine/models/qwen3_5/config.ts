import { z } from "zod";
import { QuantizationConfig } from "../../nn/quantization.js";
import { VisionConfig } from "../qwen3_vl/config.js";

const positive = z.number().int().positive();
const Rope = z.object({
  rope_type: z.enum(["default", "mrope"]).optional(),
  type: z.enum(["default", "mrope"]).optional(),
  rope_theta: z.number().positive(),
  partial_rotary_factor: z.number().positive().max(1).default(0.25),
  mrope_section: z.tuple([positive, positive, positive]).default([11, 11, 10]),
  mrope_interleaved: z.literal(true).default(true),
});

const textFields = {
  hidden_size: positive,
  num_hidden_layers: positive,
  num_attention_heads: positive,
  num_key_value_heads: positive,
  head_dim: positive.default(256),
  linear_conv_kernel_dim: positive.min(2),
  linear_key_head_dim: positive,
  linear_value_head_dim: positive,
  linear_num_key_heads: positive,
  linear_num_value_heads: positive,
  layer_types: z.array(z.enum(["linear_attention", "full_attention"])).optional(),
  full_attention_interval: positive.default(4),
  rms_norm_eps: z.number().positive(),
  vocab_size: positive,
  max_position_embeddings: positive,
  attention_bias: z.literal(false).default(false),
  attn_output_gate: z.literal(true).default(true),
  hidden_act: z.literal("silu").default("silu"),
  tie_word_embeddings: z.boolean().optional(),
  rope_parameters: Rope,
  rope_scaling: z.null({ error: ({ input }) => `Expected null, since rope_parameters says how positions turn, but received ${JSON.stringify(input)}` }).optional(),
  intermediate_size: positive.optional(),
  moe_intermediate_size: positive.optional(),
  shared_expert_intermediate_size: positive.optional(),
  num_experts: z.number().int().nonnegative().optional(),
  num_experts_per_tok: positive.optional(),
  norm_topk_prob: z.literal(true).default(true),
  mlp_only_layers: z.array(z.never()).nullable().optional(),
};

type TextFields = z.output<z.ZodObject<typeof textFields>>;

function resolved({ rope_parameters: rope, layer_types, full_attention_interval: interval, ...config }: TextFields, context: z.RefinementCtx) {
  const refuse = (field: string, message: string): void => void context.addIssue({ code: "custom", path: [field], message, input: config });
  if (layer_types !== undefined && layer_types.length !== config.num_hidden_layers) refuse("layer_types", `Expected ${config.num_hidden_layers}, as many as num_hidden_layers, but received ${layer_types.length}`);
  if (config.linear_num_value_heads % config.linear_num_key_heads !== 0) refuse("linear_num_value_heads", `Expected a multiple of linear_num_key_heads (${config.linear_num_key_heads}) but received ${config.linear_num_value_heads}`);
  return {
    ...config,
    layer_types: layer_types ?? Array.from({ length: config.num_hidden_layers }, (_, i) => ((i + 1) % interval === 0 ? ("full_attention" as const) : ("linear_attention" as const))),
    rope_theta: rope.rope_theta,
    mrope_section: rope.mrope_section,
    /** Features of a head that are rotated. */
    rotary_dim: Math.trunc(config.head_dim * rope.partial_rotary_factor),
  };
}

/** What the MLPs are made of: all layers alike. */
export type Qwen35Mlp = { hidden: number } | { hidden: number; shared: number; experts: number; active: number };

/** config.json of `qwen3_5_text` and `qwen3_5_moe_text`, the decoder without a tower; fields that change the computation and are not supported are refused by name. */
export const Qwen35TextOnlyConfig = z
  .object({ model_type: z.enum(["qwen3_5_text", "qwen3_5_moe_text"]), ...textFields, quantization: QuantizationConfig.optional() })
  .transform(({ model_type, quantization, ...fields }, context) => ({
    model_type,
    quantization,
    text_config: resolved(fields, context),
    mlp: mlpOf(model_type === "qwen3_5_moe_text", fields, [], context),
    tie_word_embeddings: fields.tie_word_embeddings ?? false,
  }));

/** config.json of `qwen3_5` and `qwen3_5_moe`; fields that change the computation and are not supported are refused by name. */
export const Qwen35Config = z
  .object({
    model_type: z.enum(["qwen3_5", "qwen3_5_moe"]),
    text_config: z.object(textFields).transform(resolved),
    vision_config: VisionConfig.extend({ deepstack_visual_indexes: z.array(z.never()).default([]) }),
    image_token_id: z.number().int().nonnegative(),
    video_token_id: z.number().int().nonnegative().default(248_057),
    tie_word_embeddings: z.boolean().optional(),
    quantization: QuantizationConfig.optional(),
  })
  .transform((config, context) => ({
    ...config,
    mlp: mlpOf(config.model_type === "qwen3_5_moe", config.text_config, ["text_config"], context),
    tie_word_embeddings: config.tie_word_embeddings ?? config.text_config.tie_word_embeddings ?? false,
  }));

type Sizes = Partial<Record<"intermediate_size" | "moe_intermediate_size" | "shared_expert_intermediate_size" | "num_experts" | "num_experts_per_tok", number>>;

function mlpOf(hasExperts: boolean, text: Sizes, path: string[], context: z.RefinementCtx): Qwen35Mlp {
  const need = (field: keyof Sizes): number => {
    const value = text[field];
    if (value !== undefined && value > 0) return value;
    context.addIssue({ code: "custom", path: [...path, field], message: `Expected a positive number in a model ${hasExperts ? "with" : "without"} experts but received ${String(value)}`, input: text });
    return 1;
  };
  if (!hasExperts) return { hidden: need("intermediate_size") };
  const mlp = { hidden: need("moe_intermediate_size"), shared: need("shared_expert_intermediate_size"), experts: need("num_experts"), active: need("num_experts_per_tok") };
  if (mlp.active > mlp.experts) context.addIssue({ code: "custom", path: [...path, "num_experts_per_tok"], input: text, message: `Expected at most the ${mlp.experts} experts there are` });
  return mlp;
}

export type Qwen35TextOnlyConfig = z.output<typeof Qwen35TextOnlyConfig>;
export type Qwen35Config = z.output<typeof Qwen35Config>;
export type Qwen35TextConfig = Qwen35Config["text_config"] & Pick<Qwen35Config, "mlp" | "quantization">;
