import { z } from "zod";
import type { SamplingOptions } from "../../engine/inference.js";

const StopString = z.string().min(1, "expected a non-empty stop string");

/** How tokens are drawn and where an answer ends, in the words that chat and plain completions share. */
export const SAMPLING_FIELDS = {
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().gt(0).max(1).nullish(),
  /** 0 or -1 keeps every token. */
  top_k: z.number().int().min(-1).nullish(),
  min_p: z.number().min(0).max(1).nullish(),
  repetition_penalty: z.number().gt(0).nullish(),
  presence_penalty: z.number().min(-2).max(2).nullish(),
  frequency_penalty: z.number().min(-2).max(2).nullish(),
  /** By token id, what is added to its logit. */
  logit_bias: z.record(z.string().regex(/^\d+$/, "expected token ids as keys"), z.number().min(-100).max(100)).nullish(),
  /** Any integer; its lowest 32 bits are the seed. */
  seed: z.number().int().nullish(),
  stop: z.union([StopString, z.array(StopString).max(4)], { error: "expected a string or an array of up to 4 strings" }).nullish(),
};

/** The same in the engine's words, nulls translated. */
export function toSamplingOptions(body: z.infer<z.ZodObject<typeof SAMPLING_FIELDS>>): SamplingOptions {
  return {
    temperature: body.temperature ?? undefined,
    topP: body.top_p ?? undefined,
    topK: body.top_k == null ? undefined : Math.max(0, body.top_k),
    minP: body.min_p ?? undefined,
    repetitionPenalty: body.repetition_penalty ?? undefined,
    presencePenalty: body.presence_penalty ?? undefined,
    frequencyPenalty: body.frequency_penalty ?? undefined,
    logitBias: body.logit_bias ?? undefined,
    seed: body.seed == null ? undefined : body.seed >>> 0,
    stop: typeof body.stop === "string" ? [body.stop] : (body.stop ?? undefined),
  };
}
