import { z } from "zod";
import { QuantizationConfig } from "../../nn/quantization.js";
import type { QueryScaling } from "../../nn/query-scale.js";
import { ropeFields, ropeOf, type RopeSettings } from "../../nn/rope.js";

const positive = z.number().int().positive();

/** Fields of a Llama-like decoder in config.json. */
export const llamaFields = {
  hidden_size: positive,
  num_hidden_layers: positive,
  intermediate_size: positive,
  num_attention_heads: positive,
  num_key_value_heads: positive.nullish(),
  head_dim: positive.nullish(),
  rms_norm_eps: z.number().positive().default(1e-6),
  vocab_size: positive,
  max_position_embeddings: positive,
  hidden_act: z.literal("silu").default("silu"),
  tie_word_embeddings: z.boolean().nullish(),
  ...ropeFields,
};

/** What `LlamaTextModel` computes with: one spelling of everything. */
export interface LlamaTextConfig {
  hidden_size: number;
  num_hidden_layers: number;
  intermediate_size: number;
  num_attention_heads: number;
  num_key_value_heads: number;
  head_dim: number;
  rms_norm_eps: number;
  vocab_size: number;
  max_position_embeddings: number;
  /** Of queries, keys and values. */
  attention_bias: boolean;
  attention_output_bias: boolean;
  mlp_bias: boolean;
  /** `undefined`: the output head is the token embeddings when the folder stores no other. */
  tie_word_embeddings: boolean | undefined;
  rope: RopeSettings;
  /** How many rows each row sees, itself included; `undefined`: all before it. */
  sliding_window: number | undefined;
  /** How queries grow with their position. */
  query_scaling: QueryScaling | undefined;
}

type Fields = z.output<z.ZodObject<typeof llamaFields>>;

/** What tells Llama's kin apart. */
interface Own {
  attention_bias?: boolean;
  mlp_bias?: boolean;
  ropeBase: number;
  sliding_window?: number;
  query_scaling?: QueryScaling;
}

/** One spelling of the fields that Llama and its kin share. */
export function llamaTextConfig(fields: Fields, own: Own, context: z.core.$RefinementCtx): LlamaTextConfig {
  const { hidden_size, num_attention_heads } = fields;
  const rope = ropeOf(fields, { base: own.ropeBase });
  if (rope.partialRotaryFactor !== 1) context.addIssue({ code: "custom", path: ["partial_rotary_factor"], message: `Expected 1 but received ${rope.partialRotaryFactor}: this family rotates whole heads`, input: fields });
  if (rope.scaling.rope_type === "yarn" && rope.scaling.llama_4_scaling_beta !== undefined && own.query_scaling === undefined) {
    context.addIssue({ code: "custom", path: ["rope_parameters", "llama_4_scaling_beta"], message: `Expected none but received ${rope.scaling.llama_4_scaling_beta}: only ministral3 has it`, input: fields });
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
    max_position_embeddings: fields.max_position_embeddings,
    attention_bias: own.attention_bias ?? false,
    attention_output_bias: own.attention_bias ?? false,
    mlp_bias: own.mlp_bias ?? false,
    tie_word_embeddings: fields.tie_word_embeddings ?? undefined,
    rope,
    sliding_window: own.sliding_window,
    query_scaling: own.query_scaling,
  };
}

const ROPE_BASE = 10_000;

const schema = z.object({
  ...llamaFields,
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
});

function normalised({ attention_bias, mlp_bias, ...fields }: z.output<typeof schema>, context: z.core.$RefinementCtx): LlamaTextConfig {
  return llamaTextConfig(fields, { attention_bias, mlp_bias, ropeBase: ROPE_BASE }, context);
}

/** `text_config` of a model whose language half is a Llama. */
export const LlamaTextConfig = schema.transform(normalised);

/** config.json of `llama`; fields that change the computation and are not supported are refused by name. */
export const LlamaConfig = schema
  .extend({ model_type: z.literal("llama"), quantization: QuantizationConfig.optional() })
  .transform(({ model_type, quantization, ...fields }, context) => ({ model_type, quantization, text: normalised({ ...fields, tie_word_embeddings: fields.tie_word_embeddings ?? false }, context) }));

export type LlamaConfig = z.output<typeof LlamaConfig>;
