import { randomUUID } from "node:crypto";
import type { InferenceEvent, TokenLogprob, Timings as EngineTimings, Usage as EngineUsage } from "../engine/inference.js";
import type { AnswerToolCall, ChatCompletion, ChatCompletionChunk, Delta, Logprobs, Timings, Usage } from "./schemas/chat-answer.js";

type FinishEvent = Extract<InferenceEvent, { type: "finish" }>;

const NO_FINISH = "the engine ended without a finish event";

/** What every part of one answer has in common. */
export interface AnswerHead {
  id: string;
  /** Unix time, seconds. */
  created: number;
  model: string;
}

export function newAnswerHead(model: string): AnswerHead {
  return { id: `chatcmpl-${randomUUID().replaceAll("-", "")}`, created: Math.floor(Date.now() / 1000), model };
}

/** An event of one of several answers to the same request. */
export type ChoiceEvent = InferenceEvent & { choice?: number };

/** The chunks of a streamed answer, one or two an event: each choice's role first, its finish reason once, usage last when asked for. */
export async function* toChunks(head: AnswerHead, events: AsyncIterable<ChoiceEvent>, { includeUsage = false, choices = 1 } = {}): AsyncGenerator<ChatCompletionChunk> {
  const base = { ...head, object: "chat.completion.chunk" as const };
  const usage = includeUsage ? { usage: null } : {};
  const chunk = (index: number, delta: Delta, logprobs: Logprobs | null = null): ChatCompletionChunk => ({ ...base, choices: [{ index, delta, logprobs, finish_reason: null }], ...usage });

  for (let index = 0; index < choices; index++) yield chunk(index, { role: "assistant", content: "" });
  const finished: FinishEvent[] = [];
  for await (const event of events) {
    const index = event.choice ?? 0;
    if (event.type !== "finish") {
      yield chunk(index, toDelta(event), event.type === "text" ? toLogprobs(event.logprobs) : null);
      continue;
    }
    finished[index] = event;
    yield {
      ...base,
      choices: [{ index, delta: {}, logprobs: null, finish_reason: event.finishReason }],
      ...usage,
      timings: toTimings(event.timings),
    };
  }
  if (Object.keys(finished).length < choices) throw new Error(NO_FINISH);
  if (includeUsage) yield { ...base, choices: [], usage: toUsage(usageOf(finished)) };
}

/** The whole answer: the same events, joined. */
export async function toCompletion(head: AnswerHead, events: AsyncIterable<ChoiceEvent>): Promise<ChatCompletion> {
  const joined: JoinedChoice[] = [];
  for await (const event of events) (joined[event.choice ?? 0] ??= new JoinedChoice()).add(event);
  if (joined.length === 0) throw new Error(NO_FINISH);
  const finished = joined.map(({ finish }) => finish!);
  const choices = joined.map((choice, index) => choice.whole(index));
  return { ...head, object: "chat.completion", choices, usage: toUsage(usageOf(finished)), timings: toTimings(finished[0]!.timings) };
}

class JoinedChoice {
  finish: FinishEvent | undefined;
  #text = "";
  #reasoning = "";
  #logprobs: Logprobs["content"] | undefined;
  readonly #toolCalls: AnswerToolCall[] = [];

  add(event: InferenceEvent): void {
    if (event.type === "text") {
      this.#text += event.text;
      const logprobs = toLogprobs(event.logprobs);
      if (logprobs !== null) this.#logprobs = [...(this.#logprobs ?? []), ...logprobs.content];
    } else if (event.type === "reasoning") this.#reasoning += event.text;
    else if (event.type === "tool_call") this.#toolCalls[event.index] = { id: event.id, type: "function", function: { name: event.name, arguments: "" } };
    else if (event.type === "tool_call_arguments") {
      const call = this.#toolCalls[event.index];
      if (!call) throw new Error(`the engine sent arguments of tool call ${event.index} before the call itself`);
      call.function.arguments += event.delta;
    } else this.finish = event;
  }

  whole(index: number): ChatCompletion["choices"][0] {
    if (!this.finish) throw new Error(NO_FINISH);
    const calls = this.#toolCalls;
    return {
      index,
      message: {
        role: "assistant",
        content: this.#text === "" && calls.length > 0 ? null : this.#text,
        refusal: null,
        ...(this.#reasoning !== "" && { reasoning_content: this.#reasoning }),
        ...(calls.length > 0 && { tool_calls: calls }),
      },
      logprobs: this.#logprobs === undefined ? null : { content: this.#logprobs, refusal: null },
      finish_reason: this.finish.finishReason,
    };
  }
}

/** Of all choices: the prompt they share counts once. */
function usageOf(finished: readonly FinishEvent[]): EngineUsage {
  const completionTokens = finished.reduce((total, { usage }) => total + usage.completionTokens, 0);
  return { ...finished[0]!.usage, completionTokens };
}

function toLogprobs(tokens: TokenLogprob[] | undefined): Logprobs | null {
  const named = ({ bytes, logprob }: { bytes: number[]; logprob: number }) => ({ token: Buffer.from(bytes).toString(), logprob, bytes });
  return tokens === undefined ? null : { content: tokens.map((token) => ({ ...named(token), top_logprobs: token.top.map(named) })), refusal: null };
}

function toDelta(event: Exclude<InferenceEvent, FinishEvent>): Delta {
  switch (event.type) {
    case "reasoning":
      return { reasoning_content: event.text };
    case "text":
      return { content: event.text };
    case "tool_call":
      return { tool_calls: [{ index: event.index, id: event.id, type: "function", function: { name: event.name, arguments: "" } }] };
    case "tool_call_arguments":
      return { tool_calls: [{ index: event.index, function: { arguments: event.delta } }] };
  }
}

/** OpenAI's usage object. */
export function toUsage(usage: EngineUsage): Usage {
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    total_tokens: usage.promptTokens + usage.completionTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedTokens },
  };
}

export function toTimings(timings: EngineTimings): Timings {
  return { process_ms: timings.processMs, prefill_ms: timings.prefillMs, decode_ms: timings.decodeMs };
}
