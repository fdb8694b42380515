import { z } from "zod";
import { SAMPLING_FIELDS } from "./sampling.js";

/** `POST /v1/completions`: text that goes on from a prompt as it is, without a chat template. */

const oneOf = (what: string) => ({
  error: (issue: { code?: string }) => (issue.code === "invalid_union" ? `expected ${what}` : undefined),
});

const TokenIds = z.array(z.number().int().min(0)).min(1);
/** Answers that one request may ask for. */
export const MAX_COMPLETIONS = 128;
const Prompt = z.union([z.string(), TokenIds, z.array(z.union([z.string(), TokenIds])).min(1).max(MAX_COMPLETIONS)], oneOf("a string, token ids, or an array of either"));

const refused = (instead: string) => z.null({ error: `expected nothing: this server does not do this. Instead, ${instead}` }).optional();

export const CompletionRequest = z
  .object({
    /** The served model, one of its names; left out, the served model. */
    model: z.string().nullish(),
    prompt: Prompt,
    max_tokens: z.number().int().min(1).default(16),
    /** Choices for each prompt. */
    n: z.number().int().min(1).max(MAX_COMPLETIONS).nullish(),
    /** Begin each answer with its prompt. */
    echo: z.boolean().nullish(),
    ...SAMPLING_FIELDS,
    /** How many of the likeliest tokens to tell of in each place. */
    logprobs: z.number().int().min(0).max(5).nullish(),
    stream: z.boolean().nullish(),
    stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
    suffix: refused("write it into the prompt with the model's own marks for filling in"),
    best_of: z.literal(1, { error: "expected 1: answers are not compared here. Ask for several with n" }).nullish(),
  })
  .meta({ id: "CompletionRequest" });
export type CompletionRequest = z.infer<typeof CompletionRequest>;
