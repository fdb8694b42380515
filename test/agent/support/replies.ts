import type { ModelReply } from "../../../src/agent/model-client.js";
import type { CoordinateChain } from "../../../src/agent/coordinates.js";
import type { ScriptedReply } from "./scripted-server.js";

/** A whole reply, as the model client gives it. */
export function reply(part: Partial<ModelReply>): ModelReply {
  return { text: "", toolCalls: [], finishReason: "stop", firstPieceMs: 1, totalMs: 2, ...part };
}

/** The text form of a computer_use call. */
export function callText(args: Record<string, unknown>): string {
  return `<tool_call>\n${JSON.stringify({ name: "computer_use", arguments: args })}\n</tool_call>`;
}

/** A reply in the embedded model's own format. */
export function tinyReply(words: string, args: Record<string, unknown>, now?: "on" | "off"): ScriptedReply {
  return { text: `Action: ${words}\n${now ? `Now: ${now}\n` : ""}${callText(args)}` };
}

/** A reply with one structured computer_use call. */
export function toolReply(args: Record<string, unknown>, text = ""): ScriptedReply {
  return { text, toolCalls: [{ name: "computer_use", arguments: JSON.stringify(args) }] };
}

/** A streamed message as Anthropic's interface documents it. */
export function message(...blocks: ({ text: string } | { call: string; input: object })[]): ScriptedReply {
  const content = blocks.flatMap((block, index) => [
    { type: "content_block_start", index, content_block: "text" in block ? { type: "text", text: "" } : { type: "tool_use", id: `toolu_${index}`, name: block.call, input: {} } },
    ...("text" in block ? [block.text.slice(0, 3), block.text.slice(3)].map((text) => ({ type: "content_block_delta", index, delta: { type: "text_delta", text } })) : [JSON.stringify(block.input).slice(0, 5), JSON.stringify(block.input).slice(5)].map((partial_json) => ({ type: "content_block_delta", index, delta: { type: "input_json_delta", partial_json } }))),
    { type: "content_block_stop", index },
  ]);
  return {
    events: [
      { type: "message_start", message: { usage: { input_tokens: 30, cache_read_input_tokens: 50, cache_creation_input_tokens: 20, output_tokens: 1 } } } as { type: string },
      { type: "ping" },
      ...content,
      { type: "message_delta", delta: { stop_reason: "tool_use" }, usage: { output_tokens: 9 } } as { type: string },
      { type: "message_stop" },
    ],
  };
}

/** A streamed response as OpenAI's interface documents it. */
export function response(...output: object[]): ScriptedReply {
  const whole = { output, error: null, incomplete_details: null, usage: { input_tokens: 100, output_tokens: 9, input_tokens_details: { cached_tokens: 60 } } };
  return { events: [{ type: "response.created" }, { type: "response.output_text.delta", delta: "I " } as { type: string }, { type: "response.completed", response: whole } as { type: string }] };
}

/** A 1000 × 1000 display on which model space, picture and desktop are the same. */
export const IDENTITY: CoordinateChain = {
  space: { kind: "relative", max: 1000 },
  sent: { width: 1000, height: 1000 },
  captured: { width: 1000, height: 1000 },
  display: { x: 0, y: 0, width: 1000, height: 1000, scale: 1 },
};
