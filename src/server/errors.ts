import { DeskhandError, isDeskhandError } from "../core/errors.js";
import type { ErrorBody } from "./schemas/error.js";

export interface HttpError {
  status: number;
  body: ErrorBody;
}

/** Fastify's own errors that are the client's doing; the rest of its messages are passed on as they are. */
const FRAMEWORK_ERRORS: Record<string, { code: string; message?: string }> = {
  FST_ERR_CTP_BODY_TOO_LARGE: { code: "request_too_large", message: "The request body is larger than this server takes. Send fewer or smaller pictures." },
  FST_ERR_CTP_INVALID_JSON_BODY: { code: "invalid_json", message: "Expected a JSON body but it does not parse." },
  FST_ERR_CTP_EMPTY_JSON_BODY: { code: "invalid_json", message: "Expected a JSON body but it is empty." },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: { code: "unsupported_media_type", message: "Expected a body with Content-Type: application/json." },
};

/** The status and body for anything thrown while answering; `requestId` helps find it in the log. */
export function toHttpError(error: unknown, requestId: string): HttpError {
  if (isDeskhandError(error)) return httpError(error.status, error.code, error.message, error.param);
  if (error instanceof Error) {
    const { statusCode, code } = frameworkFields(error);
    if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
      const known = code === undefined ? undefined : FRAMEWORK_ERRORS[code];
      return httpError(statusCode, known?.code ?? "invalid_argument", known?.message ?? error.message);
    }
  }
  return httpError(500, "internal", `The server failed on this request; its log says why under ${requestId}.`);
}

export function httpError(status: number, code: string, message: string, param?: string): HttpError {
  return { status, body: { error: { message, type: typeOf(status), param: param ?? null, code } } };
}

/** Names the request field at fault in an error that knows only what was wrong with it. */
export function withParam(error: unknown, param: string): unknown {
  if (!isDeskhandError(error) || error.param !== undefined) return error;
  return new DeskhandError(error.code, `${param}: ${error.message}`, { cause: error, param });
}

function typeOf(status: number): ErrorBody["error"]["type"] {
  if (status === 401) return "authentication_error";
  if (status === 429) return "rate_limit_error";
  return status >= 500 ? "server_error" : "invalid_request_error";
}

function frameworkFields(error: Error): { statusCode?: number; code?: string } {
  return {
    statusCode: "statusCode" in error && typeof error.statusCode === "number" ? error.statusCode : undefined,
    code: "code" in error && typeof error.code === "string" ? error.code : undefined,
  };
}
