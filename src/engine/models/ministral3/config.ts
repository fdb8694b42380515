import { z } from "zod";
import { QuantizationConfig } from "../../nn/quantization.js";
import { llamaTextConfig, type LlamaTextConfig } from "../llama/config.js";
import { mistralFields } from "../mistral/config.js";

const ROPE_BASE = 10_000;

const schema = z.object({
  ...mistralFields,
  head_dim: z.number().int().positive().nullable().default(128),
  rms_norm_eps: z.number().positive().default(1e-5),
  sliding_window: z.number().int().positive().nullish(),
});

/** Ministral 3: a Mistral whose rope is scaled by YaRN, and whose queries grow with their position. */
function normalised({ sliding_window, ...fields }: z.output<typeof schema>, context: z.core.$RefinementCtx): LlamaTextConfig {
  const written = fields.rope_scaling ?? fields.rope_parameters;
  const { llama_4_scaling_beta: beta, original_max_position_embeddings: length } = written?.rope_type === "yarn" ? written : {};
  if (beta === undefined || length === undefined) {
    const message = `Expected rope_type yarn with llama_4_scaling_beta and original_max_position_embeddings but received ${JSON.stringify(written ?? null)}`;
    context.addIssue({ code: "custom", path: ["rope_parameters"], message, input: fields });
    return z.NEVER;
  }
  return llamaTextConfig(fields, { ropeBase: ROPE_BASE, sliding_window: sliding_window ?? undefined, query_scaling: { beta, length } }, context);
}

/** `text_config` of a model whose language half is a Ministral 3. */
export const Ministral3TextConfig = schema.transform(normalised);

/** config.json of `ministral3`; fields that change the computation and are not supported are refused by name. */
export const Ministral3Config = schema
  .extend({ model_type: z.literal("ministral3"), quantization: QuantizationConfig.optional() })
  .transform(({ model_type, quantization, ...fields }, context) => ({ model_type, quantization, text: normalised({ ...fields, tie_word_embeddings: fields.tie_word_embeddings ?? false }, context) }));

export type Ministral3Config = z.output<typeof Ministral3Config>;
