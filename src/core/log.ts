import { pino, type Logger } from "pino";

export type { Logger };

/** Keys whose values never reach a log line, at any depth pino can redact cheaply. */
const SECRET_PATHS = ["authorization", "apiKey", "api_key", "token", "password", "secret"].flatMap((key) => [key, `*.${key}`, `*.*.${key}`]);

/**
 * A logger on stderr, so that stdout stays for results. Level from `DESKHAND_LOG` (default `warn`).
 * Prompts, screenshots, typed text and keys are logged at `debug` only.
 */
export function createLogger(name: string, level = process.env["DESKHAND_LOG"] ?? "warn"): Logger {
  return pino({ name, level, redact: { paths: SECRET_PATHS, censor: "[redacted]" } }, pino.destination({ fd: 2, sync: true }));
}
