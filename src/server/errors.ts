import { DeskhandError, isDeskhandError } from "../core/errors.js";

/** Why a request is refused or failed, in no client's form yet: `error-forms.ts` has those. */
export interface HttpError {
  status: number;
  /** Stable: see core/errors.ts. */
  code: string;
  message: string;
  /** The request field at fault. */
  param?: string;
}

/** Fastify's own errors that are the client's doing; the rest of its messages are passed on as they are. */
const FRAMEWORK_ERRORS: Record<string, { code: string; message?: string }> = {
  FST_ERR_CTP_BODY_TOO_LARGE: { code: "request_too_large", message: "The request body is larger than this server takes. Send fewer or smaller pictures." },
  FST_REQ_FILE_TOO_LARGE: { code: "request_too_large", message: "The file is larger than this server takes. Send it compressed, or in parts." },
  FST_ERR_CTP_INVALID_JSON_BODY: { code: "invalid_json", message: "Expected a JSON body but it does not parse." },
  FST_ERR_CTP_EMPTY_JSON_BODY: { code: "invalid_json", message: "Expected a JSON body but it is empty." },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: { code: "unsupported_media_type", message: "Expected a body with Content-Type: application/json." },
};

/** What anything thrown while answering means to the client; `requestId` helps find it in the log. */
export function toHttpError(error: unknown, requestId: string): HttpError {
  if (isDeskhandError(error)) return { status: error.status, code: error.code, message: error.message, param: error.param };
  if (error instanceof Error) {
    const { statusCode, code } = frameworkFields(error);
    if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
      const known = code === undefined ? undefined : FRAMEWORK_ERRORS[code];
      return { status: statusCode, code: known?.code ?? "invalid_argument", message: known?.message ?? error.message };
    }
  }
  return { status: 500, code: "internal", message: `The server failed on this request; its log says why under ${requestId}.` };
}

/** Names the request field at fault in an error that knows only what was wrong with it. */
export function withParam(error: unknown, param: string): unknown {
  if (!isDeskhandError(error) || error.param !== undefined) return error;
  return new DeskhandError(error.code, `${param}: ${error.message}`, { cause: error, param });
}

function frameworkFields(error: Error): { statusCode?: number; code?: string } {
  return {
    statusCode: "statusCode" in error && typeof error.statusCode === "number" ? error.statusCode : undefined,
    code: "code" in error && typeof error.code === "string" ? error.code : undefined,
  };
}
