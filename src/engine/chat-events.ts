import type { TextDelta } from "./generate/text.js";
import { ThinkingSplitter, type ThinkingPiece } from "./generate/thinking.js";
import type { InferenceEvent } from "./inference.js";
import type { ToolCall } from "./messages.js";
import type { ToolCallEvent, ToolCallParser } from "./tools/format.js";

/** What a chat yields while it is under way. */
export type ChatEvent = ToolCallEvent | Extract<InferenceEvent, { type: "reasoning" }>;

/** How a model's text is taken apart. */
export interface ChatTextForm {
  /** Absent when no tools are offered. */
  parser: ToolCallParser | undefined;
  /** Whether the model thinks before it answers, and whether the prompt has opened that block already; asked once text comes. */
  thinking: () => { isOpen: boolean } | undefined;
}

/**
 * Takes a stream of text apart into thinking, answer and tool calls; returns what the stream returned, with the thinking and the calls.
 * Leaving it early ends the stream as well.
 */
export async function* chatEvents<Output>(stream: AsyncGenerator<TextDelta, Output>, { parser, thinking }: ChatTextForm): AsyncGenerator<ChatEvent, { output: Output; reasoning: string; toolCalls: ToolCall[] }> {
  const toolCalls: ToolCall[] = [];
  let splitter: ThinkingSplitter | undefined;
  let isSplitterKnown = false;
  let reasoning = "";
  try {
    for (;;) {
      const { value, done } = await stream.next();
      if (!isSplitterKnown) {
        const block = thinking();
        splitter = block && new ThinkingSplitter(block.isOpen);
        isSplitterKnown = true;
      }
      const delta = done ? "" : value.text;
      const pieces: ThinkingPiece[] = splitter === undefined ? [{ type: "text", text: delta }] : done ? splitter.end() : splitter.feed(delta);
      const events = pieces.flatMap((piece): ChatEvent[] => (piece.type === "text" && parser !== undefined ? parser.feed(piece.text) : [piece]));
      if (done && parser !== undefined) events.push(...parser.end());
      for (const event of events) {
        if ("text" in event && event.text === "") continue;
        if (event.type === "reasoning") reasoning += event.text;
        else record(toolCalls, event);
        yield event;
      }
      if (done) return { output: value, reasoning, toolCalls };
    }
  } finally {
    await stream.return(undefined as never);
  }
}

function record(calls: ToolCall[], event: ToolCallEvent): void {
  if (event.type === "tool_call") calls[event.index] = { id: event.id, name: event.name, arguments: "" };
  else if (event.type === "tool_call_arguments") {
    const call = calls[event.index];
    if (call !== undefined) call.arguments += event.delta;
  }
}
