import { z } from "zod";

/** The body of every error, and the last event of a stream that failed. */
export const ErrorBody = z
  .strictObject({
    error: z.strictObject({
      message: z.string(),
      type: z.enum(["invalid_request_error", "authentication_error", "rate_limit_error", "server_error"]),
      /** The request field at fault. */
      param: z.string().nullable(),
      /** Stable: see core/errors.ts. */
      code: z.string(),
    }),
  })
  .meta({ id: "Error" });
export type ErrorBody = z.infer<typeof ErrorBody>;

/** The same on the routes that Anthropic's clients call. */
export const AnthropicErrorBody = z
  .strictObject({
    type: z.literal("error"),
    error: z.strictObject({
      type: z.enum(["invalid_request_error", "authentication_error", "not_found_error", "request_too_large", "rate_limit_error", "api_error", "overloaded_error", "timeout_error"]),
      message: z.string(),
      /** Read by Anthropic's clients: what they then do without. */
      details: z.strictObject({ error_code: z.literal("thread_unsupported_request"), unsupported: z.array(z.string()) }).optional(),
    }),
    request_id: z.string(),
  })
  .meta({ id: "AnthropicError" });
export type AnthropicErrorBody = z.infer<typeof AnthropicErrorBody>;
