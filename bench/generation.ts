import { FeatureCache } from "../src/engine/cache/feature-cache.js";
import { PrefixCache } from "../src/engine/cache/prefix-cache.js";
import { resolveOptions } from "../src/engine/generate/options.js";
import { Sampler } from "../src/engine/generate/sampler.js";
import { Scheduler } from "../src/engine/generate/scheduler.js";
import type { Architecture, Prompt } from "../src/engine/models/architecture.js";
import { median, type Figure } from "./report.js";

/** When the first token came and when the last, in ms from the start. */
export interface Times {
  first: number;
  last: number;
}

/** A greedy generation of `tokens` tokens; end-of-sequence tokens do not end it. */
export async function timedGeneration(scheduler: Scheduler, prompt: Prompt, tokens: number): Promise<Times> {
  const start = performance.now();
  const times: Times = { first: 0, last: 0 };
  using sampler = new Sampler(resolveOptions({ temperature: 0, repetitionPenalty: 1 }, {}));
  await scheduler.run({
    prompt,
    sampler,
    maxTokens: tokens,
    onToken: () => {
      times.last = performance.now() - start;
      if (times.first === 0) times.first = times.last;
      return true;
    },
  });
  return times;
}

/** Prefill and decode rates of a model, each the median of `runs` fresh generations after one to warm up. */
export async function generationRates(name: string, model: Architecture, prompt: Prompt, { tokens, runs }: { tokens: number; runs: number }): Promise<Figure[]> {
  const prefill: number[] = [];
  const decode: number[] = [];
  for (let run = -1; run < runs; run++) {
    using prefixes = new PrefixCache(model, { maxBytes: 0 });
    using features = new FeatureCache(0);
    const { first, last } = await timedGeneration(new Scheduler(model, { prefixes, features }), prompt, tokens);
    if (run < 0) continue;
    prefill.push(prompt.tokenIds.length / (first / 1000));
    decode.push((tokens - 1) / ((last - first) / 1000));
  }
  return [
    { name: `${name}: prefill, ${prompt.tokenIds.length} tokens`, value: median(prefill), unit: "tokens/s" },
    { name: `${name}: decode, ${tokens} tokens`, value: median(decode), unit: "tokens/s" },
  ];
}
