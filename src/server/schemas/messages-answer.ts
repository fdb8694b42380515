import { z } from "zod";

/** What `POST /v1/messages` answers: whole, or as the events of a stream. */

const TextBlock = z.strictObject({ type: z.literal("text"), text: z.string(), citations: z.null() });
const ThinkingBlock = z.strictObject({ type: z.literal("thinking"), thinking: z.string(), signature: z.string() });
const ToolUseBlock = z.strictObject({ type: z.literal("tool_use"), id: z.string(), name: z.string(), input: z.record(z.string(), z.unknown()) });
export const ContentBlock = z.discriminatedUnion("type", [TextBlock, ThinkingBlock, ToolUseBlock]);
export type ContentBlock = z.infer<typeof ContentBlock>;

const StopReason = z.enum(["end_turn", "max_tokens", "stop_sequence", "tool_use"]);
export type StopReason = z.infer<typeof StopReason>;

export const MessagesUsage = z.strictObject({
  /** Prompt tokens that did not come from the prefix cache. */
  input_tokens: z.number().int(),
  /** Always 0: what is kept for later costs nothing here. */
  cache_creation_input_tokens: z.number().int(),
  cache_read_input_tokens: z.number().int(),
  output_tokens: z.number().int(),
});
export type MessagesUsage = z.infer<typeof MessagesUsage>;

export const Message = z
  .strictObject({
    id: z.string(),
    type: z.literal("message"),
    role: z.literal("assistant"),
    model: z.string(),
    content: z.array(ContentBlock),
    stop_reason: StopReason.nullable(),
    stop_sequence: z.string().nullable(),
    usage: MessagesUsage,
  })
  .meta({ id: "Message" });
export type Message = z.infer<typeof Message>;

const Delta = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("text_delta"), text: z.string() }),
  z.strictObject({ type: z.literal("thinking_delta"), thinking: z.string() }),
  z.strictObject({ type: z.literal("input_json_delta"), partial_json: z.string() }),
]);
export type MessageDelta = z.infer<typeof Delta>;

const index = z.number().int();
export const MessageEvent = z
  .discriminatedUnion("type", [
    z.strictObject({ type: z.literal("message_start"), message: Message }),
    z.strictObject({ type: z.literal("ping") }),
    z.strictObject({ type: z.literal("content_block_start"), index, content_block: ContentBlock }),
    z.strictObject({ type: z.literal("content_block_delta"), index, delta: Delta }),
    z.strictObject({ type: z.literal("content_block_stop"), index }),
    z.strictObject({ type: z.literal("message_delta"), delta: z.strictObject({ stop_reason: StopReason, stop_sequence: z.string().nullable() }), usage: MessagesUsage }),
    z.strictObject({ type: z.literal("message_stop") }),
  ])
  .meta({ id: "MessageEvent" });
export type MessageEvent = z.infer<typeof MessageEvent>;

export const TokenCount = z.strictObject({ input_tokens: z.number().int() }).meta({ id: "TokenCount" });
export type TokenCount = z.infer<typeof TokenCount>;
