import { z } from "zod";
import { nestText, qwen2VLFields, visionFields } from "../qwen2_vl/config.js";

const positive = z.number().int().positive();

/** The vision tower, also of Qwen2.5-Omni. */
export const Qwen25VLVisionConfig = z
  .object({
    ...visionFields,
    hidden_size: positive,
    intermediate_size: positive.default(3420),
    /** Width of the decoder. */
    out_hidden_size: positive,
    hidden_act: z.literal("silu").default("silu"),
    /** Side of an attention window in pixels. */
    window_size: positive.default(112),
    /** Positions of one second of video. */
    tokens_per_second: positive.default(4),
    /** Blocks that attend over the whole picture. */
    fullatt_block_indexes: z.array(z.number().int().nonnegative()).default([7, 15, 23, 31]),
  })
  .refine(({ window_size, patch_size, spatial_merge_size }) => window_size >= patch_size * spatial_merge_size, { path: ["window_size"], message: "Expected a window to hold at least one merged patch (patch_size · spatial_merge_size pixels)" });

/** config.json of `qwen2_5_vl`; fields that change the computation and are not supported are refused by name. */
export const Qwen25VLConfig = z.preprocess(nestText, z.object({ model_type: z.literal("qwen2_5_vl"), ...qwen2VLFields, vision_config: Qwen25VLVisionConfig }));

export type Qwen25VLVisionConfig = z.output<typeof Qwen25VLVisionConfig>;
