import { z } from "zod";

/** `GET /v1/models/{id}`, and an entry of `GET /v1/models`. */
export const Model = z.strictObject({
  id: z.string(),
  object: z.literal("model"),
  /** Unix time, seconds. */
  created: z.number().int(),
  owned_by: z.string(),
  /** `loaded` answers requests; `loading` and `failed` are as they say; `cached` is on this disk; `available` would be downloaded. */
  state: z.enum(["loaded", "loading", "failed", "cached", "available"]),
  /** Whether a request that names it is answered, after loading it where it has to be. */
  loadable: z.boolean(),
  /** Stays loaded. */
  pinned: z.boolean().optional(),
  /** What it does, known while it is loaded. */
  tasks: z.array(z.enum(["generate", "transcribe", "embed"])).optional(),
  /** Short names that mean this model. */
  aliases: z.array(z.string()),
  /** e.g. `qwen3_vl`. */
  model_type: z.string().optional(),
  /** Longest prompt plus completion, in tokens. */
  context_length: z.number().int().optional(),
  vision: z.boolean().optional(),
  size_bytes: z.number().optional(),
  /** What it takes in memory now. */
  memory_bytes: z.number().optional(),
  /** e.g. `4-bit`. */
  quantization: z.string().optional(),
}).meta({ id: "Model" });
export type Model = z.infer<typeof Model>;

export const ModelList = z.strictObject({ object: z.literal("list"), data: z.array(Model) }).meta({ id: "ModelList" });
export type ModelList = z.infer<typeof ModelList>;

/** `POST /v1/models/load` and `POST /v1/models/unload`. */
export const ModelName = z.object({ model: z.string().min(1, "expected a model's name") }).meta({ id: "ModelName" });
