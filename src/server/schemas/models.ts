import { z } from "zod";

/** `GET /v1/models/{id}`, and an entry of `GET /v1/models`. */
export const Model = z.strictObject({
  id: z.string(),
  object: z.literal("model"),
  /** Unix time, seconds. */
  created: z.number().int(),
  owned_by: z.string(),
  /** `loaded` answers requests; `cached` is on this disk; `available` would be downloaded. */
  state: z.enum(["loaded", "cached", "available"]),
  /** Short names that mean this model. */
  aliases: z.array(z.string()),
  /** e.g. `qwen3_vl`. */
  model_type: z.string().optional(),
  /** Longest prompt plus completion, in tokens. */
  context_length: z.number().int().optional(),
  vision: z.boolean().optional(),
  size_bytes: z.number().optional(),
  /** e.g. `4-bit`. */
  quantization: z.string().optional(),
}).meta({ id: "Model" });
export type Model = z.infer<typeof Model>;

export const ModelList = z.strictObject({ object: z.literal("list"), data: z.array(Model) }).meta({ id: "ModelList" });
export type ModelList = z.infer<typeof ModelList>;
