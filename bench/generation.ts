import { Session } from "../src/engine/cache/session.js";
import { resolveOptions } from "../src/engine/generate/options.js";
import { generateTokens } from "../src/engine/generate/tokens.js";
import type { Architecture, Prompt } from "../src/engine/models/architecture.js";
import { median, type Figure } from "./report.js";

/** Prefill and decode rates of a model, each the median of `runs` fresh generations after one to warm up. End-of-sequence tokens do not end it. */
export async function generationRates(name: string, model: Architecture, prompt: Prompt, { tokens, runs }: { tokens: number; runs: number }): Promise<Figure[]> {
  const prefill: number[] = [];
  const decode: number[] = [];
  const sampling = resolveOptions({ temperature: 0, repetitionPenalty: 1, maxTokens: tokens }, {});
  for (let run = -1; run < runs; run++) {
    using session = new Session(model.createCache());
    const start = performance.now();
    let first = start;
    let count = 0;
    for await (const _ of generateTokens(model, prompt, session, { sampling })) {
      if (count++ === 0) first = performance.now();
    }
    if (run < 0) continue;
    prefill.push(prompt.tokenIds.length / ((first - start) / 1000));
    decode.push((count - 1) / ((performance.now() - first) / 1000));
  }
  return [
    { name: `${name}: prefill, ${prompt.tokenIds.length} tokens`, value: median(prefill), unit: "tokens/s" },
    { name: `${name}: decode, ${tokens} tokens`, value: median(decode), unit: "tokens/s" },
  ];
}
