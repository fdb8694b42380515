import { z } from "zod";

const Progress = z.strictObject({ phase: z.string(), done: z.number(), total: z.number().optional(), unit: z.enum(["bytes", "files", "tensors", "steps", "seconds"]) });

/** One model, in `GET /health`; `GET /ready?model=…`. */
export const ModelHealth = z
  .strictObject({
    id: z.string(),
    /** `unloaded`: the next request for it loads it. */
    state: z.enum(["ready", "loading", "failed", "unloaded"]),
    /** How far loading is, while it lasts. */
    progress: Progress.nullable(),
    /** Requests being answered by it or waiting for it. */
    requests: z.number().int(),
    pinned: z.boolean(),
  })
  .meta({ id: "ModelHealth" });
export type ModelHealth = z.infer<typeof ModelHealth>;

/** `GET /health` and `GET /ready`. */
export const Health = z
  .strictObject({
    status: z.enum(["ok", "loading", "failed", "unloaded", "stopped"]),
    /** The default model, while it is loaded. */
    model: z.string().nullable(),
    progress: Progress.nullable(),
    /** Requests being answered or waiting, for all models. */
    requests: z.number().int(),
    models: z.array(ModelHealth),
  })
  .meta({ id: "Health" });
export type Health = z.infer<typeof Health>;
