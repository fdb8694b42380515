import { isUtf8 } from "node:buffer";
import { randomUUID } from "node:crypto";
import type { ChatRequest, InferenceEvent, TokenLogprob, Timings, Usage } from "../engine/inference.js";
import type { Borrowed } from "./borrowed-engine.js";
import { toTimings, toUsage } from "./chat-answer.js";
import type { Completion, CompletionChunk, CompletionLogprobs } from "./schemas/completions-answer.js";
import { MAX_COMPLETIONS, type CompletionRequest } from "./schemas/completions-request.js";
import { toSamplingOptions } from "./schemas/sampling.js";
import { DeskhandError } from "../core/errors.js";

/** One choice: what the engine is asked, and what its text begins with. */
export interface AskedChoice {
  request: ChatRequest;
  /** The prompt, where it is to be told again. */
  echo: string;
  /** The first of its prompt: the prompt's tokens count once. */
  isFirst: boolean;
}

/** The choices of a request, in the order of their indices: those of the first prompt, of the second, … */
export async function askedChoices(body: CompletionRequest, engine: Borrowed): Promise<AskedChoice[]> {
  const { prompt, n, echo, logprobs, seed } = body;
  const prompts = typeof prompt === "string" || typeof prompt[0] === "number" ? [prompt as string | number[]] : (prompt as (string | number[])[]);
  const count = n ?? 1;
  if (prompts.length * count > MAX_COMPLETIONS) {
    throw new DeskhandError("invalid_argument", `n: expected at most ${MAX_COMPLETIONS} answers in a request but received ${prompts.length} prompts times ${count}. Send several requests.`, { param: "n" });
  }
  if (echo && logprobs != null) throw new DeskhandError("unsupported_input", "logprobs: those of a prompt are not told. Leave out echo or logprobs.", { param: "logprobs" });
  const choices: AskedChoice[] = [];
  for (const one of prompts) {
    const text = echo ? (typeof one === "string" ? one : await engine.decode(one)) : "";
    for (let index = 0; index < count; index++) choices.push({ request: toRequest(body, one, seed == null ? undefined : (seed + index) >>> 0), echo: text, isFirst: index === 0 });
  }
  return choices;
}

function toRequest(body: CompletionRequest, prompt: string | number[], seed: number | undefined): ChatRequest {
  return {
    messages: [],
    prompt,
    ...toSamplingOptions(body),
    seed,
    maxTokens: body.max_tokens,
    logprobs: body.logprobs ?? undefined,
  };
}

/** The events of the choices, in order; the first choice's generation is under way. */
export interface RunningChoice extends AskedChoice {
  events: () => AsyncIterable<InferenceEvent>;
}

/** The chunks of a streamed answer, one choice after the other. */
export async function* toCompletionChunks(model: string, choices: readonly RunningChoice[], { includeUsage, withLogprobs }: { includeUsage: boolean; withLogprobs: boolean }): AsyncGenerator<CompletionChunk> {
  const head = newHead(model);
  const usage = includeUsage ? { usage: null } : {};
  const total = { promptTokens: 0, completionTokens: 0, cachedTokens: 0 };
  for (const [index, { echo, events, isFirst }] of choices.entries()) {
    if (echo !== "") yield { ...head, choices: [{ index, text: echo, logprobs: null, finish_reason: null }], ...usage };
    let offset = 0;
    for await (const event of events()) {
      if (event.type === "text") {
        const logprobs = withLogprobs ? toLogprobs(event.logprobs ?? [], offset) : null;
        offset += event.text.length;
        yield { ...head, choices: [{ index, text: event.text, logprobs, finish_reason: null }], ...usage };
      } else if (event.type === "finish") {
        add(total, event.usage, isFirst);
        const finish_reason = event.finishReason === "length" ? "length" : "stop";
        yield { ...head, choices: [{ index, text: "", logprobs: null, finish_reason }], ...usage, timings: toTimings(event.timings) };
      }
    }
  }
  if (includeUsage) yield { ...head, choices: [], usage: toUsage(total) };
}

/** The whole answer: the same chunks, joined. */
export async function toCompletions(model: string, choices: readonly RunningChoice[], options: { withLogprobs: boolean }): Promise<Completion> {
  const joined: Completion["choices"] = choices.map((_choice, index) => ({ index, text: "", logprobs: options.withLogprobs ? toLogprobs([], 0) : null, finish_reason: "stop" }));
  const timings: Timings = { processMs: 0, prefillMs: 0, decodeMs: 0 };
  const answer: Completion = { ...newHead(model), choices: joined, usage: toUsage({ promptTokens: 0, completionTokens: 0, cachedTokens: 0 }), timings: toTimings(timings) };
  for await (const chunk of toCompletionChunks(model, choices, { ...options, includeUsage: true })) {
    if (chunk.usage) answer.usage = chunk.usage;
    for (const key of ["process_ms", "prefill_ms", "decode_ms"] as const) answer.timings[key] += chunk.timings?.[key] ?? 0;
    for (const { index, text, logprobs, finish_reason } of chunk.choices) {
      const choice = joined[index];
      if (choice === undefined) throw new Error(`a chunk came for choice ${index}, which was not asked for`);
      choice.text += text;
      if (logprobs !== null) append(choice.logprobs, logprobs);
      if (finish_reason !== null) choice.finish_reason = finish_reason;
    }
  }
  return answer;
}

function newHead(model: string) {
  return { id: `cmpl-${randomUUID().replaceAll("-", "")}`, object: "text_completion" as const, created: Math.floor(Date.now() / 1000), model };
}

function add(total: Usage, usage: Usage, isFirst: boolean): void {
  total.completionTokens += usage.completionTokens;
  if (!isFirst) return;
  total.promptTokens += usage.promptTokens;
  total.cachedTokens += usage.cachedTokens;
}

/** @param start where these tokens begin in their choice's text. */
function toLogprobs(tokens: readonly TokenLogprob[], start: number): CompletionLogprobs {
  const logprobs: CompletionLogprobs = { tokens: [], token_logprobs: [], top_logprobs: [], text_offset: [] };
  // Characters of several tokens begin where the first of these does.
  const decoder = new TextDecoder();
  let offset = start;
  for (const { bytes, logprob, top } of tokens) {
    logprobs.tokens.push(nameOf(bytes));
    logprobs.token_logprobs.push(logprob);
    logprobs.top_logprobs.push(Object.fromEntries(top.map((other) => [nameOf(other.bytes), other.logprob])));
    logprobs.text_offset.push(offset);
    offset += decoder.decode(Uint8Array.from(bytes), { stream: true }).length;
  }
  return logprobs;
}

/** A token's text; of one that is no text on its own its bytes, or several of them would have the same name. */
function nameOf(bytes: readonly number[]): string {
  const whole = Buffer.from(bytes);
  return isUtf8(whole) ? whole.toString() : `bytes:${bytes.map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("")}`;
}

function append(to: CompletionLogprobs | null, more: CompletionLogprobs): void {
  to?.tokens.push(...more.tokens);
  to?.token_logprobs.push(...more.token_logprobs);
  to?.top_logprobs.push(...more.top_logprobs);
  to?.text_offset.push(...more.text_offset);
}
