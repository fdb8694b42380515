import { z } from "zod";

/** The body of every error, and the last event of a stream that failed. */
export const ErrorBody = z.strictObject({
  error: z.strictObject({
    message: z.string(),
    type: z.enum(["invalid_request_error", "authentication_error", "rate_limit_error", "server_error"]),
    /** The request field at fault. */
    param: z.string().nullable(),
    /** Stable: see core/errors.ts. */
    code: z.string(),
  }),
});
export type ErrorBody = z.infer<typeof ErrorBody>;
