import type { FinishReason, Timings } from "../inference.js";
import type { Prompt } from "../models/architecture.js";
import type { Tokenizer } from "../tokenizer/tokenizer.js";
import type { ResolvedOptions } from "./options.js";
import { Reader } from "./reader.js";
import { Sampler, type Constraint } from "./sampler.js";
import type { Scheduler } from "./scheduler.js";
import { TextAssembler, type TextDelta } from "./text.js";

export interface TextGenerationOptions {
  sampling: ResolvedOptions;
  /** What the tokens have to obey. */
  constraint?: Constraint;
  signal?: AbortSignal;
  /** Special tokens that stay in the text. */
  visibleTokens?: readonly string[];
}

export interface GeneratedText {
  text: string;
  /** Every token generated, the end-of-sequence token included. */
  tokenIds: number[];
  promptTokens: number;
  cachedTokens: number;
  completionTokens: number;
  finishReason: Exclude<FinishReason, "tool_calls">;
  /** The stop string that ended it, if one did. */
  stopString: string | undefined;
  timings: Omit<Timings, "processMs">;
}

/** A prompt's answer as text, piece by piece as the reader takes it. Leaving early ends the generation; it has ended when the iteration has. */
export async function* generateText(scheduler: Scheduler, tokenizer: Tokenizer, prompt: Prompt, { sampling, constraint, signal, visibleTokens }: TextGenerationOptions): AsyncGenerator<TextDelta, GeneratedText> {
  const asked = performance.now();
  const left = new AbortController();
  const assembler = new TextAssembler(tokenizer, { stops: sampling.stop, visibleTokens });
  const reader = new Reader<TextDelta>();
  const tokenIds: number[] = [];
  let cachedTokens = 0;
  let first: number | undefined;
  let last = asked;
  let isComplete = false;
  using sampler = new Sampler(sampling, { prompt: prompt.tokenIds, constraint });
  const run = scheduler.run({
    prompt,
    sampler,
    maxTokens: sampling.maxTokens,
    signal: signal === undefined ? left.signal : AbortSignal.any([signal, left.signal]),
    onPrefill: (cached) => (cachedTokens = cached),
    onToken: (token) => {
      last = performance.now();
      first ??= last;
      tokenIds.push(token.id);
      const { delta, stopped } = assembler.push(token);
      reader.push(delta);
      isComplete = stopped;
      return !stopped;
    },
    isReady: () => reader.isReady,
  });
  const end = (): void => reader.end();
  run.then(end, end);
  let text = "";
  try {
    for await (const delta of reader.pieces(signal, () => scheduler.wake())) {
      text += delta.text;
      yield delta;
    }
    let finishReason = await run;
    if (!isComplete) {
      const { delta, stopped } = assembler.end();
      if (stopped) finishReason = "stop";
      text += delta.text;
      yield delta;
    }
    const timings = { prefillMs: (first ?? last) - asked, decodeMs: last - (first ?? last) };
    return { text, tokenIds, promptTokens: prompt.tokenIds.length, cachedTokens, completionTokens: tokenIds.length, finishReason, stopString: assembler.stopString, timings };
  } finally {
    left.abort();
    await run.catch(() => undefined);
  }
}
