import { randomUUID } from "node:crypto";
import type { InferenceEvent } from "../engine/inference.js";
import { blockEvents, collectBlocks, type Block, type BlockEvent, type FinishEvent } from "./answer-blocks.js";
import type { ContentBlock, Message, MessageDelta, MessageEvent, MessagesUsage, StopReason } from "./schemas/messages-answer.js";

const NO_USAGE: MessagesUsage = { input_tokens: 0, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 0 };

/** The whole answer in Anthropic's form. */
export async function toMessage(model: string, events: AsyncIterable<InferenceEvent>): Promise<Message> {
  const { blocks, finish } = await collectBlocks(events);
  return { ...newMessage(model), content: blocks.map(toContentBlock), ...stopOf(finish), usage: toMessagesUsage(finish) };
}

/** The events of a streamed answer. How many tokens the prompt had is known at the end only, and stands there. */
export async function* toMessageEvents(model: string, events: AsyncIterable<InferenceEvent>): AsyncGenerator<MessageEvent> {
  yield { type: "message_start", message: newMessage(model) };
  yield { type: "ping" };
  for await (const event of blockEvents(events)) yield* eventsOf(event);
  yield { type: "message_stop" };
}

function* eventsOf(event: BlockEvent): Generator<MessageEvent> {
  switch (event.type) {
    case "open":
      yield { type: "content_block_start", index: event.index, content_block: toContentBlock(event.block) };
      break;
    case "delta":
      yield { type: "content_block_delta", index: event.index, delta: toDelta(event.block, event.delta) };
      break;
    case "close":
      yield { type: "content_block_stop", index: event.index };
      break;
    case "finish":
      yield { type: "message_delta", delta: stopOf(event.finish), usage: toMessagesUsage(event.finish) };
  }
}

function newMessage(model: string): Message {
  return { id: `msg_${randomUUID().replaceAll("-", "")}`, type: "message", role: "assistant", model, content: [], stop_reason: null, stop_sequence: null, usage: NO_USAGE };
}

function toContentBlock(block: Block): ContentBlock {
  switch (block.kind) {
    case "text":
      return { type: "text", text: block.text, citations: null };
    case "reasoning":
      // Thinking is not signed here, and is taken back unsigned.
      return { type: "thinking", thinking: block.text, signature: "" };
    case "tool_call":
      return { type: "tool_use", id: block.id, name: block.name, input: inputOf(block.arguments) };
  }
}

function toDelta(block: Block, delta: string): MessageDelta {
  if (block.kind === "text") return { type: "text_delta", text: delta };
  return block.kind === "reasoning" ? { type: "thinking_delta", thinking: delta } : { type: "input_json_delta", partial_json: delta };
}

/** Arguments that were cut off, which the stop reason tells of, are no object. */
function inputOf(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function stopOf({ finishReason, stopString }: FinishEvent): { stop_reason: StopReason; stop_sequence: string | null } {
  if (stopString !== undefined) return { stop_reason: "stop_sequence", stop_sequence: stopString };
  return { stop_reason: finishReason === "length" ? "max_tokens" : finishReason === "tool_calls" ? "tool_use" : "end_turn", stop_sequence: null };
}

function toMessagesUsage({ usage }: FinishEvent): MessagesUsage {
  return {
    input_tokens: usage.promptTokens - usage.cachedTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: usage.cachedTokens,
    output_tokens: usage.completionTokens,
  };
}
