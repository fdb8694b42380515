import { z } from "zod";
import { QuantizationConfig } from "../../nn/quantization.js";
import { llamaFields, llamaTextConfig, type LlamaTextConfig } from "../llama/config.js";

const ROPE_BASE = 10_000;

const schema = z.object({ ...llamaFields, sliding_window: z.number().int().positive().nullish() });

/** Mistral (arXiv:2310.06825) is a Llama without biases; its first version also had a window of attention. */
function normalised({ sliding_window, ...fields }: z.output<typeof schema>, context: z.core.$RefinementCtx): LlamaTextConfig {
  if (sliding_window != null && sliding_window < fields.max_position_embeddings) {
    context.addIssue({ code: "custom", path: ["sliding_window"], message: `Expected null, or at least max_position_embeddings (${fields.max_position_embeddings}), but received ${sliding_window}`, input: sliding_window });
  }
  return llamaTextConfig(fields, { attention_bias: false, mlp_bias: false, ropeBase: ROPE_BASE }, context);
}

/** `text_config` of a model whose language half is a Mistral. */
export const MistralTextConfig = schema.transform(normalised);

/** config.json of `mistral`; fields that change the computation and are not supported are refused by name. */
export const MistralConfig = schema
  .extend({ model_type: z.literal("mistral"), quantization: QuantizationConfig.optional() })
  .transform(({ model_type, quantization, ...fields }, context) => ({ model_type, quantization, text: normalised({ ...fields, tie_word_embeddings: fields.tie_word_embeddings ?? false }, context) }));

export type MistralConfig = z.output<typeof MistralConfig>;
