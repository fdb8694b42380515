import { z } from "zod";
import { QuantizationConfig } from "../../nn/quantization.js";
import { AxialRope } from "../../nn/patch-grid.js";
import { RopeScaling } from "../../nn/rope.js";
import { qwen2Fields, qwen2TextConfig, type Qwen2TextConfig } from "../qwen2/config.js";

const positive = z.number().int().positive();
const ROPE_BASE = 1_000_000;

/** How many of a head's frequencies follow the time, the height and the width. */
const Sections = z.object({ mrope_section: z.tuple([positive, positive, positive]).default([16, 24, 24]) });

export interface Qwen2VLTextConfig extends Qwen2TextConfig {
  mrope_section: [number, number, number];
}

/** The decoder of Qwen2-VL and Qwen2.5-VL. */
const TextConfig = z
  .object({
    ...qwen2Fields,
    num_key_value_heads: positive.nullable().default(8),
    rope_scaling: RopeScaling.and(Sections).nullish(),
    rope_parameters: RopeScaling.and(Sections).nullish(),
  })
  .transform((fields, context): Qwen2VLTextConfig => {
    const text = qwen2TextConfig(fields, context, { ropeBase: ROPE_BASE });
    if (text.head_dim * text.num_attention_heads !== text.hidden_size) {
      context.addIssue({ code: "custom", path: ["head_dim"], message: `Expected hidden_size / num_attention_heads = ${text.hidden_size / text.num_attention_heads} but received ${text.head_dim}`, input: text.head_dim });
    }
    const { mrope_section } = fields.rope_scaling ?? fields.rope_parameters ?? Sections.parse({});
    const count = mrope_section.reduce((sum, section) => sum + section, 0);
    if (2 * count !== text.head_dim) {
      context.addIssue({ code: "custom", path: ["rope_scaling", "mrope_section"], message: `Expected sections for the ${text.head_dim / 2} frequencies of a head but received ${mrope_section.join(" + ")} = ${count}`, input: mrope_section });
    }
    return { ...text, mrope_section };
  });

/** Published folders have the decoder's fields at the top of config.json, transformers 5 writes them as `text_config`; some have both. */
export function nestText(config: unknown): unknown {
  if (typeof config !== "object" || config === null) return config;
  const { text_config: nested, vision_config, ...top } = config as Record<string, unknown>;
  const inner = typeof nested === "object" && nested !== null ? (nested as Record<string, unknown>) : {};
  // Either place may say that embeddings are tied.
  return { ...top, vision_config, text_config: { ...top, ...inner }, tie_word_embeddings: (top["tie_word_embeddings"] ?? false) || (inner["tie_word_embeddings"] ?? false) };
}

/** What both generations have besides the vision tower. The defaults are transformers', which folders may leave out. */
export const qwen2VLFields = {
  text_config: TextConfig,
  image_token_id: z.number().int().nonnegative().default(151_655),
  video_token_id: z.number().int().nonnegative().default(151_656),
  tie_word_embeddings: z.boolean(),
  quantization: QuantizationConfig.optional(),
};

/** Fields of both vision towers. */
export const visionFields = {
  depth: positive.default(32),
  num_heads: positive.default(16),
  in_channels: z.literal(3).default(3),
  patch_size: positive.default(14),
  temporal_patch_size: positive.default(2),
  spatial_merge_size: positive.default(2),
  rope_parameters: AxialRope.nullish(),
};

const VisionConfig = z.object({
  ...visionFields,
  embed_dim: positive.default(1280),
  /** Width of the decoder. */
  hidden_size: positive,
  mlp_ratio: z.number().positive().default(4),
  hidden_act: z.literal("quick_gelu").default("quick_gelu"),
});

/** config.json of `qwen2_vl`; fields that change the computation and are not supported are refused by name. */
export const Qwen2VLConfig = z.preprocess(nestText, z.object({ model_type: z.literal("qwen2_vl"), ...qwen2VLFields, vision_config: VisionConfig }));

export type Qwen2VLConfig = z.output<typeof Qwen2VLConfig>;
export type Qwen2VLVisionConfig = Qwen2VLConfig["vision_config"];
