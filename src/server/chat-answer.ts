import { randomUUID } from "node:crypto";
import type { InferenceEvent, Timings as EngineTimings, Usage as EngineUsage } from "../engine/inference.js";
import type { AnswerToolCall, ChatCompletion, ChatCompletionChunk, Delta, Timings, Usage } from "./schemas/chat-answer.js";

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

/** The chunks of a streamed answer, one or two an event: the role first, the finish reason once, usage last when asked for. */
export async function* toChunks(head: AnswerHead, events: AsyncIterable<InferenceEvent>, includeUsage: boolean): AsyncGenerator<ChatCompletionChunk> {
  const base = { ...head, object: "chat.completion.chunk" as const };
  const usage = includeUsage ? { usage: null } : {};
  const chunk = (delta: Delta): ChatCompletionChunk => ({ ...base, choices: [{ index: 0, delta, logprobs: null, finish_reason: null }], ...usage });

  yield chunk({ role: "assistant", content: "" });
  let isFinished = false;
  for await (const event of events) {
    if (event.type !== "finish") {
      yield chunk(toDelta(event));
      continue;
    }
    isFinished = true;
    yield {
      ...base,
      choices: [{ index: 0, delta: {}, logprobs: null, finish_reason: event.finishReason }],
      ...usage,
      timings: toTimings(event.timings),
    };
    if (includeUsage) yield { ...base, choices: [], usage: toUsage(event.usage) };
  }
  if (!isFinished) throw new Error(NO_FINISH);
}

/** The whole answer: the same events, joined. */
export async function toCompletion(head: AnswerHead, events: AsyncIterable<InferenceEvent>): Promise<ChatCompletion> {
  let text = "";
  let reasoning = "";
  const toolCalls: AnswerToolCall[] = [];
  let finish: FinishEvent | undefined;
  for await (const event of events) {
    if (event.type === "text") text += event.text;
    else if (event.type === "reasoning") reasoning += event.text;
    else if (event.type === "tool_call") toolCalls[event.index] = { id: event.id, type: "function", function: { name: event.name, arguments: "" } };
    else if (event.type === "tool_call_arguments") {
      const call = toolCalls[event.index];
      if (!call) throw new Error(`the engine sent arguments of tool call ${event.index} before the call itself`);
      call.function.arguments += event.delta;
    } else finish = event;
  }
  if (!finish) throw new Error(NO_FINISH);
  return {
    ...head,
    object: "chat.completion",
    choices: [
      {
        index: 0,
        message: {
          role: "assistant",
          content: text === "" && toolCalls.length > 0 ? null : text,
          refusal: null,
          ...(reasoning !== "" && { reasoning_content: reasoning }),
          ...(toolCalls.length > 0 && { tool_calls: toolCalls }),
        },
        logprobs: null,
        finish_reason: finish.finishReason,
      },
    ],
    usage: toUsage(finish.usage),
    timings: toTimings(finish.timings),
  };
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
