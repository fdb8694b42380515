/** Stable error codes and the HTTP status each one maps to. Clients may rely on the codes. */
const STATUS = {
  invalid_argument: 400,
  invalid_image: 400,
  image_too_large: 400,
  context_length_exceeded: 400,
  unsupported_input: 400,
  unauthorized: 401,
  forbidden_url: 400,
  forbidden: 403,
  model_not_found: 404,
  not_found: 404,
  model_busy: 409,
  desktop_busy: 409,
  request_too_large: 413,
  unsupported_model: 422,
  invalid_model: 422,
  model_too_large: 422,
  out_of_memory: 422,
  cancelled: 499,
  queue_full: 429,
  internal: 500,
  not_implemented: 501,
  native_addon_missing: 500,
  display_unavailable: 500,
  microphone_unavailable: 500,
  stream_unavailable: 500,
  dependency_missing: 500,
  port_in_use: 500,
  model_server: 502,
  model_output: 502,
  engine_unavailable: 503,
  timeout: 504,
} as const;

export type ErrorCode = keyof typeof STATUS;

export interface DeskhandErrorOptions {
  cause?: unknown;
  /** The request field or option at fault, e.g. `messages[0].content`. */
  param?: string;
  /** When another try may succeed, in seconds from now. */
  retryAfterS?: number;
  /** Of `out_of_memory`: what would have to be allowed in all. */
  neededBytes?: number;
}

/**
 * The one error type of the project. The message says what was expected, what came, and what to do.
 * Libraries throw it; only the command line prints it and chooses an exit code.
 */
export class DeskhandError extends Error {
  readonly code: ErrorCode;
  /** HTTP status this error maps to on the server. */
  readonly status: number;
  readonly param?: string;
  readonly retryAfterS?: number;
  readonly neededBytes?: number;

  constructor(code: ErrorCode, message: string, options: DeskhandErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "DeskhandError";
    this.code = code;
    this.status = STATUS[code];
    this.param = options.param;
    this.retryAfterS = options.retryAfterS;
    this.neededBytes = options.neededBytes;
  }
}

export function isDeskhandError(error: unknown, code?: ErrorCode): error is DeskhandError {
  return error instanceof DeskhandError && (code === undefined || error.code === code);
}

/** Text of anything thrown, for messages that wrap a cause. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Throws `cancelled` when the signal has been aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new DeskhandError("cancelled", `Cancelled${reasonOf(signal)}.`, { cause: signal.reason });
}

function reasonOf(signal: AbortSignal): string {
  const reason: unknown = signal.reason;
  if (reason instanceof Error && reason.name !== "AbortError") return `: ${reason.message}`;
  return typeof reason === "string" ? `: ${reason}` : "";
}
