import { z } from "zod";
import { QuantizationConfig } from "../../nn/quantization.js";
import { llamaFields, llamaTextConfig, type LlamaTextConfig } from "../llama/config.js";

const ROPE_BASE = 10_000;

/** Fields of a Mistral decoder: a Llama's without biases, and a window of attention. The defaults are those of transformers' classes. */
export const mistralFields = {
  ...llamaFields,
  num_key_value_heads: z.number().int().positive().nullable().default(8),
  attention_bias: z.literal(false, "Expected false: this family's attention has no biases").optional(),
  mlp_bias: z.literal(false, "Expected false: this family's MLPs have no biases").optional(),
  layer_types: z.null("Expected no layer_types: in this family all layers are alike").optional(),
};

// Where a folder says nothing, transformers' `MistralConfig` has this window.
const schema = z.object({ ...mistralFields, sliding_window: z.number().int().positive().nullable().default(4096) });

/** Mistral (arXiv:2310.06825). */
function normalised({ sliding_window, ...fields }: z.output<typeof schema>, context: z.core.$RefinementCtx): LlamaTextConfig {
  return llamaTextConfig(fields, { ropeBase: ROPE_BASE, sliding_window: sliding_window ?? undefined }, context);
}

/** `text_config` of a model whose language half is a Mistral. */
export const MistralTextConfig = schema.transform(normalised);

/** config.json of `mistral`; fields that change the computation and are not supported are refused by name. */
export const MistralConfig = schema
  .extend({ model_type: z.literal("mistral"), quantization: QuantizationConfig.optional() })
  .transform(({ model_type, quantization, ...fields }, context) => ({ model_type, quantization, text: normalised({ ...fields, tie_word_embeddings: fields.tie_word_embeddings ?? false }, context) }));

export type MistralConfig = z.output<typeof MistralConfig>;
