import { z } from "zod";
import { QuantizationConfig } from "../../nn/quantization.js";
import { RopeScaling } from "../../nn/rope.js";

const positive = z.number().int().positive();
const LayerType = z.enum(["sliding_attention", "full_attention"]);

/** The hub's folders leave out what transformers' `Gemma3TextConfig` takes for granted, so these are its defaults. */
const fields = {
  hidden_size: positive.default(2304),
  num_hidden_layers: positive.default(26),
  intermediate_size: positive.default(9216),
  num_attention_heads: positive.default(8),
  num_key_value_heads: positive.default(4),
  head_dim: positive.default(256),
  rms_norm_eps: z.number().positive().default(1e-6),
  vocab_size: positive.default(262_208),
  max_position_embeddings: positive.default(131_072),
  query_pre_attn_scalar: z.number().positive().default(256),
  sliding_window: positive.default(4096),
  layer_types: z.array(LayerType).nullish(),
  sliding_window_pattern: positive.optional(),
  _sliding_window_pattern: positive.optional(),
  tie_word_embeddings: z.boolean().default(true),
  attention_bias: z.literal(false).default(false),
  hidden_activation: z.literal("gelu_pytorch_tanh").default("gelu_pytorch_tanh"),
  final_logit_softcapping: z.null("Expected no final_logit_softcapping: soft caps are not supported").optional(),
  attn_logit_softcapping: z.null("Expected no attn_logit_softcapping: soft caps are not supported").optional(),
  use_bidirectional_attention: z.literal(false, "Expected a decoder: use_bidirectional_attention is not supported").nullish(),
  rope_theta: z.number().positive().default(1_000_000),
  rope_local_base_freq: z.number().positive().default(10_000),
  rope_scaling: RopeScaling.nullish(),
  rope_parameters: z.strictObject({ full_attention: RopeScaling.nullish(), sliding_attention: RopeScaling.nullish() }).nullish(),
};

type Fields = z.output<z.ZodObject<typeof fields>>;

/** One answer from older spellings (one base each, a pattern, scaling of the global layers) and newer ones (by layer type). */
function resolved<T extends Fields>({ rope_theta, rope_local_base_freq, rope_scaling, rope_parameters, layer_types, sliding_window_pattern, _sliding_window_pattern, ...config }: T) {
  const global = rope_scaling ?? rope_parameters?.full_attention ?? { rope_type: "default" as const };
  const local = rope_parameters?.sliding_attention ?? { rope_type: "default" as const };
  const pattern = sliding_window_pattern ?? _sliding_window_pattern ?? 6;
  return {
    ...config,
    layer_types: layer_types ?? Array.from({ length: config.num_hidden_layers }, (_, i) => ((i + 1) % pattern === 0 ? "full_attention" : "sliding_attention") satisfies z.output<typeof LayerType>),
    rope: {
      full_attention: { base: global.rope_theta ?? rope_parameters?.full_attention?.rope_theta ?? rope_theta, scaling: global },
      sliding_attention: { base: local.rope_theta ?? rope_local_base_freq, scaling: local },
    },
  };
}

function everyLayer({ layer_types, num_hidden_layers }: Fields): boolean {
  return layer_types == null || layer_types.length === num_hidden_layers;
}
const EVERY_LAYER = { path: ["layer_types"], error: "Expected one entry for each of num_hidden_layers" };

/** `text_config` of a `gemma3` folder. */
export const Gemma3TextFields = z.object(fields).refine(everyLayer, EVERY_LAYER).transform(resolved);
export type Gemma3TextFields = z.output<typeof Gemma3TextFields>;

/** config.json of `gemma3_text`; fields that change the computation and are not supported are refused by name. */
export const Gemma3TextConfig = z.object({ model_type: z.literal("gemma3_text"), ...fields, quantization: QuantizationConfig.optional() }).refine(everyLayer, EVERY_LAYER).transform(resolved);
export type Gemma3TextConfig = z.output<typeof Gemma3TextConfig>;
