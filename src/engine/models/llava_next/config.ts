import { z } from "zod";
import { llavaConfig, llavaSchema } from "../llava/config.js";

const side = z.number().int().positive();

/** config.json of `llava_next`; fields that change the computation and are not supported are refused by name. */
export const LlavaNextConfig = llavaSchema
  .extend({
    model_type: z.literal("llava_next"),
    /** Sizes `[height, width]` a picture may be laid out in, in pixels. */
    image_grid_pinpoints: z.array(z.tuple([side, side])).min(1).default([[336, 672], [672, 336], [672, 672], [1008, 336], [336, 1008]]),
    vision_feature_select_strategy: z.literal("default", "only patches without the class token are supported").default("default"),
    use_image_newline_parameter: z.literal(true).default(true),
  })
  .transform((fields, context) => {
    const { image_grid_pinpoints: pinpoints, vision_config } = fields;
    const odd = pinpoints.find((size) => size.some((edge) => edge % vision_config.image_size !== 0));
    if (odd !== undefined) context.addIssue({ code: "custom", path: ["image_grid_pinpoints"], message: `Expected multiples of the tower's ${vision_config.image_size} pixels but received ${odd.join(" × ")}`, input: pinpoints });
    return llavaConfig(fields, context);
  });

export type LlavaNextConfig = z.output<typeof LlavaNextConfig>;
