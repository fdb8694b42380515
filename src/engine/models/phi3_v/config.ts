import { z } from "zod";
import { QuantizationConfig } from "../../nn/quantization.js";
import { phi3Fields, phi3TextConfig } from "../phi3/config.js";
import { PATCH_PX, TILE_PX } from "./tiles.js";

const positive = z.number().int().positive();

/** The tower's sizes. Folders name only the model, CLIP ViT-L/14 at 336 pixels, whose sizes are the defaults; patches and pixels are always its. */
const VisionConfig = z.object({
  hidden_size: positive.default(1024),
  intermediate_size: positive.default(4096),
  num_hidden_layers: positive.default(24),
  num_attention_heads: positive.default(16),
  layer_norm_eps: z.number().positive().default(1e-5),
  hidden_act: z.literal("quick_gelu").default("quick_gelu"),
  image_size: z.literal(TILE_PX).default(TILE_PX),
  patch_size: z.literal(PATCH_PX).default(PATCH_PX),
});

/** config.json of `phi3_v`; fields that change the computation and are not supported are refused by name. */
export const Phi3VConfig = z
  .object({
    model_type: z.literal("phi3_v"),
    ...phi3Fields,
    tie_word_embeddings: z.literal(false).default(false),
    vision_config: VisionConfig.prefault({}),
    img_processor: z.object({ name: z.literal("clip_vision_model").default("clip_vision_model"), num_img_tokens: z.literal(144).default(144), layer_idx: z.literal(-2).default(-2), type_feature: z.literal("patch").default("patch") }).nullish(),
    embd_layer: z
      .object({
        embedding_cls: z.literal("image").default("image"),
        hd_transform_order: z.literal("sub_glb").default("sub_glb"),
        projection_cls: z.literal("mlp").default("mlp"),
        use_hd_transform: z.literal(true).default(true),
        with_learnable_separator: z.literal(true).default(true),
      })
      .nullish(),
    quantization: QuantizationConfig.optional(),
  })
  .transform(({ model_type, vision_config, quantization, img_processor: _, embd_layer: __, ...fields }, context) => ({ model_type, vision_config, quantization, text: phi3TextConfig(fields, context) }));

export type Phi3VConfig = z.output<typeof Phi3VConfig>;
export type Phi3VVisionConfig = Phi3VConfig["vision_config"];
