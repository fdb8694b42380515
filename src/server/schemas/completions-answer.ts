import { z } from "zod";
import { Timings, Usage } from "./chat-answer.js";

/** What `POST /v1/completions` answers: whole, or as the chunks of a stream. */

const Logprobs = z.strictObject({
  tokens: z.array(z.string()),
  token_logprobs: z.array(z.number()),
  /** The likeliest tokens of each place, and their logarithms. */
  top_logprobs: z.array(z.record(z.string(), z.number())),
  /** Where each token begins in the choice's text. */
  text_offset: z.array(z.number().int()),
});
export type CompletionLogprobs = z.infer<typeof Logprobs>;

const FinishReason = z.enum(["stop", "length"]);
const choice = { index: z.number().int(), text: z.string(), logprobs: Logprobs.nullable() };
const head = { id: z.string(), object: z.literal("text_completion"), created: z.number().int(), model: z.string() };

export const Completion = z
  .strictObject({ ...head, choices: z.array(z.strictObject({ ...choice, finish_reason: FinishReason })), usage: Usage, timings: Timings })
  .meta({ id: "Completion" });
export type Completion = z.infer<typeof Completion>;

export const CompletionChunk = z
  .strictObject({
    ...head,
    /** Empty in the usage chunk. */
    choices: z.array(z.strictObject({ ...choice, finish_reason: FinishReason.nullable() })).max(1),
    /** With `stream_options.include_usage`: null in every chunk but the last. */
    usage: Usage.nullable().optional(),
    /** On each choice's last chunk. */
    timings: Timings.optional(),
  })
  .meta({ id: "CompletionChunk" });
export type CompletionChunk = z.infer<typeof CompletionChunk>;
