import { z } from "zod";

/**
 * `POST /v1/messages`: the request as Anthropic's SDKs send it. Fields not named here (`metadata`, `service_tier`, `cache_control`, …) are
 * hints or bookkeeping and are ignored.
 */

const oneOf = (what: string) => ({
  error: (issue: { code?: string }) => (issue.code === "invalid_union" ? `expected ${what}` : undefined),
});

const ImageSource = z.discriminatedUnion(
  "type",
  [
    z.object({ type: z.literal("base64"), media_type: z.enum(["image/jpeg", "image/png", "image/gif", "image/webp"]), data: z.string().min(1) }),
    z.object({ type: z.literal("url"), url: z.string().min(1) }),
  ],
  oneOf('an image source of type "base64" or "url": this server keeps no files'),
);

const TextBlock = z.object({ type: z.literal("text"), text: z.string() });
const ImageBlock = z.object({ type: z.literal("image"), source: ImageSource });
export type ImageBlock = z.infer<typeof ImageBlock>;

const ToolResultContent = z.union([z.string(), z.array(z.discriminatedUnion("type", [TextBlock, ImageBlock], oneOf('a block of type "text" or "image"')))], oneOf("a string or an array of blocks"));

const ToolResultBlock = z.object({ type: z.literal("tool_result"), tool_use_id: z.string().min(1), content: ToolResultContent.nullish(), is_error: z.boolean().nullish() });

const UserBlock = z.discriminatedUnion("type", [TextBlock, ImageBlock, ToolResultBlock], oneOf('a block of type "text", "image" or "tool_result" in a user message'));
export type UserBlock = z.infer<typeof UserBlock>;

const AssistantBlock = z.discriminatedUnion(
  "type",
  [
    TextBlock,
    z.object({ type: z.literal("tool_use"), id: z.string().min(1), name: z.string().min(1), input: z.record(z.string(), z.unknown()) }),
    // What the model thought is the model's own affair once it has answered: templates leave it out of what went before.
    z.object({ type: z.literal("thinking"), thinking: z.string(), signature: z.string().nullish() }),
    z.object({ type: z.literal("redacted_thinking"), data: z.string() }),
  ],
  oneOf('a block of type "text", "tool_use" or "thinking" in an assistant message'),
);
export type AssistantBlock = z.infer<typeof AssistantBlock>;

const MessageParam = z.discriminatedUnion(
  "role",
  [
    z.object({ role: z.literal("user"), content: z.union([z.string(), z.array(UserBlock).min(1, "expected at least one block")], oneOf("a string or an array of blocks")) }),
    z.object({ role: z.literal("assistant"), content: z.union([z.string(), z.array(AssistantBlock)], oneOf("a string or an array of blocks")) }),
  ],
  oneOf('a message with role "user" or "assistant"; instructions go into the field system'),
);

const Tool = z.object({
  type: z.literal("custom", { error: 'expected a tool of the client\'s own, without a type or with "custom": this server runs no tools' }).nullish(),
  name: z.string().regex(/^[\w./-]{1,128}$/, "expected 1 to 128 letters, digits, or any of _ - . /"),
  description: z.string().nullish(),
  /** JSON Schema of the input object. */
  input_schema: z.record(z.string(), z.unknown()),
  strict: z.boolean().nullish(),
});

const parallel = { disable_parallel_tool_use: z.boolean().nullish() };
const ToolChoice = z.discriminatedUnion(
  "type",
  [
    z.object({ type: z.literal("auto"), ...parallel }),
    z.object({ type: z.literal("any"), ...parallel }),
    z.object({ type: z.literal("tool"), name: z.string().min(1), ...parallel }),
    z.object({ type: z.literal("none") }),
  ],
  oneOf('a tool_choice of type "auto", "any", "tool" or "none"'),
);

/** Left out, the model's own habit. */
const Thinking = z.discriminatedUnion(
  "type",
  [z.object({ type: z.literal("enabled"), budget_tokens: z.number().int().min(1).nullish() }), z.object({ type: z.literal("adaptive") }), z.object({ type: z.literal("disabled") })],
  oneOf('thinking of type "enabled", "adaptive" or "disabled"'),
);

/** What the answer has to be: enforced while it is written. */
const OutputFormat = z.object({ type: z.literal("json_schema", { error: 'expected a format of type "json_schema"' }), schema: z.record(z.string(), z.unknown()) });
/** `effort` is a hint, as other models read it. */
const OutputConfig = z.object({ format: OutputFormat.nullish(), effort: z.string().nullish() });

/** A field that would change the answer and cannot be honoured. */
const refused = (instead: string) => z.null({ error: `expected nothing: this server does not do this. Instead, ${instead}` }).optional();

/** What decides the prompt, which is all that `count_tokens` asks for. */
const prompt = {
  /** The served model, one of its names; left out, the served model. */
  model: z.string().nullish(),
  messages: z.array(MessageParam).min(1, "expected at least one message"),
  system: z.union([z.string(), z.array(TextBlock)], oneOf("a string or an array of text blocks")).nullish(),
  tools: z.array(Tool).nullish(),
  tool_choice: ToolChoice.nullish(),
  output_config: OutputConfig.nullish(),
  /** What `output_config.format` was called before. */
  output_format: OutputFormat.nullish(),
  thinking: Thinking.nullish(),
  thread: refused("send the whole conversation"),
  mcp_servers: refused("connect to them yourself and send their tools"),
  container: refused("run code yourself, as a tool"),
  context_management: refused("leave out yourself what is no longer needed"),
};

export const CountTokensRequest = z.object(prompt).meta({ id: "CountTokensRequest" });
export type CountTokensRequest = z.infer<typeof CountTokensRequest>;

export const MessagesRequest = z
  .object({
    ...prompt,
    max_tokens: z.number().int().min(1),
    stop_sequences: z.array(z.string().min(1, "expected a non-empty stop sequence")).max(16).nullish(),
    stream: z.boolean().nullish(),
    temperature: z.number().min(0).max(1).nullish(),
    top_p: z.number().gt(0).max(1).nullish(),
    /** 0 keeps every token. */
    top_k: z.number().int().min(0).nullish(),
  })
  .meta({ id: "MessagesRequest" });
export type MessagesRequest = z.infer<typeof MessagesRequest>;
