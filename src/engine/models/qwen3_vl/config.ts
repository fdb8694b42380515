import { z } from "zod";
import { AxialRope } from "../../nn/patch-grid.js";
import { QuantizationConfig } from "../../nn/quantization.js";
import { oneRope } from "../../nn/rope.js";

const positive = z.number().int().positive();

/** Positions on three axes; older folders call that a rope type. */
const axes = {
  ...oneRope,
  type: z.enum(["default", "mrope"]).optional(),
  rope_type: z.enum(["default", "mrope"]).optional(),
  mrope_section: z.tuple([positive, positive, positive]).default([24, 20, 20]),
  mrope_interleaved: z.literal(true).default(true),
};

/** The decoder's fields, which the family with experts has as well. */
export const Qwen3VLTextFields = {
  hidden_size: positive,
  num_hidden_layers: positive,
  intermediate_size: positive,
  num_attention_heads: positive,
  num_key_value_heads: positive,
  head_dim: positive,
  rms_norm_eps: z.number().positive(),
  vocab_size: positive,
  max_position_embeddings: positive,
  attention_bias: z.literal(false).default(false),
  hidden_act: z.literal("silu").default("silu"),
  tie_word_embeddings: z.boolean().optional(),
  rope_theta: z.number().positive().optional(),
  rope_scaling: z.object(axes).nullish(),
  rope_parameters: z.object({ ...axes, rope_theta: z.number().positive().optional() }).nullish(),
};

interface Rope {
  rope_theta?: number;
  rope_scaling?: { mrope_section: [number, number, number] } | null;
  rope_parameters?: { rope_theta?: number; mrope_section: [number, number, number] } | null;
}

/** The hub's folders say rope_theta and rope_scaling, newer transformers rope_parameters. */
export function resolveQwen3VLRope<T extends Rope>({ rope_theta, rope_scaling, rope_parameters, ...config }: T) {
  return {
    ...config,
    rope_theta: rope_parameters?.rope_theta ?? rope_theta ?? 500_000,
    mrope_section: rope_parameters?.mrope_section ?? rope_scaling?.mrope_section ?? ([24, 20, 20] as const),
  };
}

const TextConfig = z.object(Qwen3VLTextFields).transform(resolveQwen3VLRope);

export const VisionConfig = z.object({
  depth: positive,
  hidden_size: positive,
  intermediate_size: positive,
  num_heads: positive,
  in_channels: z.literal(3).default(3),
  patch_size: positive,
  temporal_patch_size: positive,
  spatial_merge_size: positive,
  out_hidden_size: positive,
  num_position_embeddings: positive,
  deepstack_visual_indexes: z.array(z.number().int().nonnegative()),
  hidden_act: z.literal("gelu_pytorch_tanh").default("gelu_pytorch_tanh"),
  rope_parameters: AxialRope.nullish(),
});

/** config.json of `qwen3_vl`; fields that change the computation and are not supported are refused by name. */
export const Qwen3VLConfig = z
  .object({
    model_type: z.literal("qwen3_vl"),
    text_config: TextConfig,
    vision_config: VisionConfig,
    image_token_id: z.number().int().nonnegative(),
    video_token_id: z.number().int().nonnegative().default(151_656),
    tie_word_embeddings: z.boolean().optional(),
    quantization: QuantizationConfig.optional(),
  })
  .transform((config) => ({ ...config, tie_word_embeddings: config.tie_word_embeddings ?? config.text_config.tie_word_embeddings ?? false }));

export type Qwen3VLConfig = z.output<typeof Qwen3VLConfig>;
export type Qwen3VLTextConfig = Qwen3VLConfig["text_config"];
export type Qwen3VLVisionConfig = Qwen3VLConfig["vision_config"];
