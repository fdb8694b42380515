import { z } from "zod";
import { QuantizationConfig } from "../../nn/quantization.js";
import { Ministral3TextConfig } from "../ministral3/config.js";
import { MistralTextConfig } from "../mistral/config.js";
import { textConfigOf } from "../text-config.js";

const positive = z.number().int().positive();
const base = z.number().positive();
const ROPE_BASE = 10_000;

/** Pixtral's vision tower. */
const VisionConfig = z
  .object({
    model_type: z.literal("pixtral").default("pixtral"),
    hidden_size: positive.default(1024),
    intermediate_size: positive.default(4096),
    num_hidden_layers: positive.default(24),
    num_attention_heads: positive.default(16),
    head_dim: positive.nullish(),
    num_channels: z.literal(3).default(3),
    patch_size: positive.default(16),
    hidden_act: z.enum(["gelu", "silu"]).default("gelu"),
    rope_theta: base.nullish(),
    rope_scaling: z.null({ error: ({ input }) => `Expected null, since rope_parameters says how patches turn, but received ${JSON.stringify(input)}` }).optional(),
    rope_parameters: z.object({ type: z.enum(["default", "axial"]).optional(), rope_type: z.enum(["default", "axial"]).default("axial"), rope_theta: base.optional() }).nullish(),
  })
  .refine(({ head_dim, hidden_size, num_attention_heads }) => head_dim == null || head_dim * num_attention_heads === hidden_size, { path: ["head_dim"], error: "Expected hidden_size / num_attention_heads" })
  .transform(({ rope_theta, rope_parameters, ...config }) => ({ ...config, rope_theta: rope_parameters?.rope_theta ?? rope_theta ?? ROPE_BASE }));

/** config.json of `mistral3`; fields that change the computation and are not supported are refused by name. */
export const Mistral3Config = z
  .object({
    model_type: z.literal("mistral3"),
    text_config: textConfigOf({ mistral: MistralTextConfig, ministral3: Ministral3TextConfig }),
    vision_config: VisionConfig,
    image_token_index: z.number().int().nonnegative().optional(),
    image_token_id: z.number().int().nonnegative().optional(),
    projector_hidden_act: z.literal("gelu").default("gelu"),
    /** Which of the tower's states is looked at: 0 its input, n what layer n gives, negative from the end. */
    vision_feature_layer: z.union([z.number().int(), z.tuple([z.number().int()]).transform(([layer]) => layer)]).default(-1),
    multimodal_projector_bias: z.boolean().default(false),
    spatial_merge_size: positive.default(2),
    tie_word_embeddings: z.boolean().optional(),
    quantization: QuantizationConfig.optional(),
  })
  .transform(({ image_token_index, image_token_id, tie_word_embeddings, text_config, ...config }, context) => {
    const layers = config.vision_config.num_hidden_layers;
    const layer = config.vision_feature_layer < 0 ? layers + 1 + config.vision_feature_layer : config.vision_feature_layer;
    if (layer < 0 || layer > layers) context.addIssue({ code: "custom", path: ["vision_feature_layer"], message: `Expected one of the ${layers} layers but received ${config.vision_feature_layer}`, input: config.vision_feature_layer });
    return {
      ...config,
      // The number that stands in the class of the reference.
      image_token_id: image_token_index ?? image_token_id ?? 10,
      vision_feature_layer: layer,
      text_config: { ...text_config, tie_word_embeddings: tie_word_embeddings ?? text_config.tie_word_embeddings },
    };
  });

export type Mistral3Config = z.output<typeof Mistral3Config>;
export type PixtralVisionConfig = Mistral3Config["vision_config"];
