import { randomInt } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { DeskhandError } from "../../core/errors.js";
import { parseWith, readJson } from "../../core/json.js";
import type { SamplingOptions } from "../inference.js";

/** Every option with its bounds and its default: the one place where they stand. */
const Options = z.object({
  maxTokens: z.number().int().min(1).default(4096),
  temperature: z.number().min(0).max(10).default(0.7),
  topP: z.number().gt(0).max(1).default(0.9),
  topK: z.number().int().min(0).default(0),
  minP: z.number().min(0).max(1).default(0),
  repetitionPenalty: z.number().gt(0).max(10).default(1.1),
  repetitionWindow: z.number().int().min(1).default(64),
  presencePenalty: z.number().min(-2).max(2).default(0),
  frequencyPenalty: z.number().min(-2).max(2).default(0),
  logitBias: z.record(z.string().regex(/^\d+$/, "expected token ids as keys"), z.number().min(-100).max(100)).default({}),
  logprobs: z.number().int().min(0).max(20).optional(),
  seed: z
    .number()
    .int()
    .min(0)
    .max(0xffff_ffff)
    .default(() => randomInt(0xffff_ffff)),
  stop: z.array(z.string()).default([]),
});

export type ResolvedOptions = z.output<typeof Options>;

/** What a model's generation_config.json recommends, in our names. */
export type ModelDefaults = Partial<Pick<ResolvedOptions, "maxTokens" | "temperature" | "topP" | "topK" | "minP" | "repetitionPenalty">>;

const optional = z.number().nullish();
const GenerationConfig = z.object({ max_new_tokens: optional, do_sample: z.boolean().nullish(), temperature: optional, top_p: optional, top_k: optional, min_p: optional, repetition_penalty: optional });

/** Reads generation_config.json, if the folder has one. `do_sample: false` means greedy. */
export async function readModelDefaults(dir: string): Promise<ModelDefaults> {
  const path = join(dir, "generation_config.json");
  if (!existsSync(path)) return {};
  const config = parseWith(GenerationConfig, await readJson(path), path, "invalid_model");
  return defined({
    maxTokens: config.max_new_tokens,
    temperature: config.do_sample === false ? 0 : config.temperature,
    topP: config.top_p,
    topK: config.top_k,
    minP: config.min_p,
    repetitionPenalty: config.repetition_penalty,
  });
}

/** The caller's options, else the model's, else the defaults. @throws DeskhandError `invalid_argument` naming the option. */
export function resolveOptions(given: SamplingOptions, model: ModelDefaults): ResolvedOptions {
  return parseWith(Options, { ...model, ...defined(given) }, "The generation options");
}

/** @throws DeskhandError `invalid_argument` for a bias of tokens that the model has not. */
export function requireTokens({ logitBias }: ResolvedOptions, vocabSize: number): void {
  const unknown = Object.keys(logitBias).find((id) => Number(id) >= vocabSize);
  if (unknown !== undefined) throw new DeskhandError("invalid_argument", `Expected token ids below ${vocabSize} but received ${unknown}. Take them from this model's tokenizer.`, { param: "logit_bias" });
}

function defined<T extends object>(object: T): { [K in keyof T]: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined && value !== null)) as { [K in keyof T]: NonNullable<T[K]> };
}
