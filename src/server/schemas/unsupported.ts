import { DeskhandError } from "../../core/errors.js";

/** Whether a value, as a client that does not use the field may still send it, leaves the answer as it is. */
type IsHarmless = (value: unknown) => boolean;

const isAbsent: IsHarmless = (value) => value === undefined || value === null;
const isOff: IsHarmless = (value) => isAbsent(value) || value === false || value === 0;
const isEmpty: IsHarmless = (value) => isAbsent(value) || (typeof value === "object" && value !== null && Object.keys(value).length === 0);
const hasType = (value: unknown, type: string) => typeof value === "object" && value !== null && "type" in value && value.type === type;

/**
 * Fields that change the answer and that this server cannot honour: it says so rather than answer something else than was asked.
 * Hints and bookkeeping (`user`, `store`, `metadata`, `service_tier`, `parallel_tool_calls`, `reasoning_effort`, …) are ignored.
 */
const UNSUPPORTED: Record<string, { harmless: IsHarmless; instead: string }> = {
  n: { harmless: (value) => isAbsent(value) || value === 1, instead: "send one request a choice" },
  logprobs: { harmless: isOff, instead: "leave it out" },
  top_logprobs: { harmless: isOff, instead: "leave it out" },
  logit_bias: { harmless: isEmpty, instead: "leave it out" },
  presence_penalty: { harmless: isOff, instead: "use repetition_penalty" },
  frequency_penalty: { harmless: isOff, instead: "use repetition_penalty" },
  response_format: {
    harmless: (value) => isAbsent(value) || hasType(value, "text"),
    instead: "ask for JSON in the prompt and check the answer: decoding is not constrained",
  },
  tool_choice: {
    // What is no choice at all is for the schema to refuse.
    harmless: (value) => isAbsent(value) || (typeof value !== "object" && value !== "required"),
    instead: 'send "auto" and check that the answer calls the tool: decoding is not constrained, so a call cannot be promised',
  },
  function_call: {
    harmless: (value) => isAbsent(value) || value === "none" || value === "auto",
    instead: 'send "auto" and check that the answer calls the function: decoding is not constrained, so a call cannot be promised',
  },
  modalities: {
    harmless: (value) => isAbsent(value) || (Array.isArray(value) && value.every((entry) => entry === "text")),
    instead: "ask for text",
  },
  audio: { harmless: isAbsent, instead: "ask for text" },
  web_search_options: { harmless: isAbsent, instead: "give the model a search tool" },
  chat_template_kwargs: { harmless: isEmpty, instead: "leave it out" },
  grammar: { harmless: isAbsent, instead: "leave it out: decoding is not constrained" },
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
