import type { GenerationDelta } from "./generate/thinking-stream.js";
import type { InferenceEvent, TokenLogprob } from "./inference.js";
import type { ToolCall } from "./messages.js";
import type { ToolCallEvent, ToolCallParser } from "./tools/format.js";

/** What a chat yields while it is under way. */
export type ChatEvent = ToolCallEvent | Extract<InferenceEvent, { type: "reasoning" }>;

/**
 * Takes an answer's text apart into content and tool calls; returns what the stream returned, with the calls. Leaving it early ends the
 * stream as well.
 *
 * @param parser absent when no tools are offered.
 */
export async function* chatEvents<Output>(stream: AsyncGenerator<GenerationDelta, Output>, parser: ToolCallParser | undefined): AsyncGenerator<ChatEvent, { output: Output; toolCalls: ToolCall[] }> {
  const toolCalls: ToolCall[] = [];
  /** Of tokens whose text has not come yet. */
  let logprobs: TokenLogprob[] = [];
  try {
    for (;;) {
      const { value, done } = await stream.next();
      const events = (done ? (parser?.end() ?? []) : eventsOf(value, parser)).filter((event) => !("text" in event) || event.text !== "");
      if (!done) logprobs.push(...(value.logprobs ?? []));
      for (const event of events) {
        if (event.type !== "reasoning") record(toolCalls, event);
        yield event.type === "text" && logprobs.length > 0 ? { ...event, logprobs } : event;
        // Those of thinking and of calls are nobody's.
        logprobs = [];
      }
      if (done) return { output: value, toolCalls };
    }
  } finally {
    await stream.return(undefined as never);
  }
}

function eventsOf({ reasoning, text }: GenerationDelta, parser: ToolCallParser | undefined): ChatEvent[] {
  return [{ type: "reasoning", text: reasoning }, ...(parser === undefined ? [{ type: "text" as const, text }] : parser.feed(text))];
}

function record(calls: ToolCall[], event: ToolCallEvent): void {
  if (event.type === "tool_call") calls[event.index] = { id: event.id, name: event.name, arguments: "" };
  else if (event.type === "tool_call_arguments") {
    const call = calls[event.index];
    if (call !== undefined) call.arguments += event.delta;
  }
}
