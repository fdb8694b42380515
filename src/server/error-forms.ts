import type { z } from "zod";
import type { HttpError } from "./errors.js";
import { AnthropicErrorBody, ErrorBody } from "./schemas/error.js";

/** How a family of routes tells of errors. */
export interface ErrorForm {
  schema: z.ZodType;
  body: (error: HttpError, requestId: string) => unknown;
}

const OPENAI: ErrorForm = { schema: ErrorBody, body: openAiError };
const ANTHROPIC: ErrorForm = { schema: AnthropicErrorBody, body: anthropicError };

/** The form of a path's errors, of paths that do not exist too: clients know it by where they send. */
export function errorFormOf(url: string): ErrorForm {
  return /^\/v1\/messages(?:[/?]|$)/.test(url) ? ANTHROPIC : OPENAI;
}

export function openAiError({ status, code, message, param }: HttpError): ErrorBody {
  return { error: { message, type: openAiType(status), param: param ?? null, code } };
}

export function anthropicError({ status, message, param }: HttpError, requestId: string): AnthropicErrorBody {
  // There is no field of its own for what is at fault.
  const named = param === undefined || message.startsWith(param) ? message : `${param}: ${message}`;
  // The client's tool runner tries threads first, and on this answer sends whole conversations.
  const details = param === "thread" ? { error_code: "thread_unsupported_request" as const, unsupported: ["thread"] } : undefined;
  return { type: "error", error: { type: anthropicType(status), message: named, ...(details && { details }) }, request_id: requestId };
}

function openAiType(status: number): ErrorBody["error"]["type"] {
  if (status === 401) return "authentication_error";
  if (status === 429) return "rate_limit_error";
  return status >= 500 ? "server_error" : "invalid_request_error";
}

function anthropicType(status: number): AnthropicErrorBody["error"]["type"] {
  switch (status) {
    case 401:
      return "authentication_error";
    case 404:
      return "not_found_error";
    case 413:
      return "request_too_large";
    case 429:
      return "rate_limit_error";
    case 503:
      return "overloaded_error";
    case 504:
      return "timeout_error";
    default:
      return status >= 500 ? "api_error" : "invalid_request_error";
  }
}
