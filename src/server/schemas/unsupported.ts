import { DeskhandError } from "../../core/errors.js";

/** Whether a value, as a client that does not use the field may still send it, leaves the answer as it is. */
type IsHarmless = (value: unknown) => boolean;

const isAbsent: IsHarmless = (value) => value === undefined || value === null;

/**
 * Fields that change the answer and that this server cannot honour: it says so rather than answer something else than was asked.
 * Hints and bookkeeping (`user`, `store`, `metadata`, `service_tier`, …) are ignored.
 */
const UNSUPPORTED: Record<string, { harmless: IsHarmless; instead: string }> = {
  modalities: {
    harmless: (value) => isAbsent(value) || (Array.isArray(value) && value.every((entry) => entry === "text")),
    instead: "ask for text",
  },
  audio: { harmless: isAbsent, instead: "ask for text" },
  web_search_options: { harmless: isAbsent, instead: "give the model a search tool" },
  grammar: { harmless: isAbsent, instead: "send response_format with a JSON Schema" },
};

/** Throws `unsupported_input`, naming the field, when the request body asks for something this server cannot do. */
export function rejectUnsupported(body: unknown): void {
  if (typeof body !== "object" || body === null) return;
  for (const [param, value] of Object.entries(body)) {
    const field = Object.hasOwn(UNSUPPORTED, param) ? UNSUPPORTED[param] : undefined;
    if (field && !field.harmless(value)) {
      throw new DeskhandError("unsupported_input", `${param}: this value is not supported by this server. Instead, ${field.instead}.`, { param });
    }
  }
}
