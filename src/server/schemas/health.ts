import { z } from "zod";

/** `GET /health` and `GET /ready`. */
export const Health = z
  .strictObject({
    status: z.enum(["ok", "loading", "failed", "stopped"]),
    /** The loaded model. */
    model: z.string().nullable(),
    /** How far loading is, while it lasts. */
    progress: z.strictObject({ phase: z.string(), done: z.number(), total: z.number().optional(), unit: z.enum(["bytes", "files", "tensors", "steps", "seconds"]) }).nullable(),
    /** Requests being answered or waiting. */
    requests: z.number().int(),
  })
  .meta({ id: "Health" });
export type Health = z.infer<typeof Health>;
