import { z } from "zod";

/**
 * `POST /v1/responses`: the request as OpenAI's SDKs send it. Fields not named here (`metadata` apart) are hints or bookkeeping and are ignored.
 */

const oneOf = (what: string) => ({
  error: (issue: { code?: string }) => (issue.code === "invalid_union" ? `expected ${what}` : undefined),
});

const TextPart = z.object({ type: z.enum(["input_text", "output_text"]), text: z.string() });
const ImagePart = z.object({
  type: z.literal("input_image"),
  /** `data:` or `http(s):` URL. */
  image_url: z.string({ error: "expected a data: or http(s) URL in image_url: this server keeps no files" }).min(1),
  detail: z.string().nullish(),
});
const RefusalPart = z.object({ type: z.literal("refusal"), refusal: z.string() });
const Part = z.discriminatedUnion("type", [TextPart, ImagePart, RefusalPart], oneOf('a part of type "input_text", "input_image" or "output_text": this server reads text and pictures'));
export type ResponsePart = z.infer<typeof Part>;

const Content = z.union([z.string(), z.array(Part)], oneOf("a string or an array of parts"));

const MessageItem = z.object({ type: z.literal("message").optional(), role: z.enum(["user", "assistant", "system", "developer"]), content: Content });
const CallItem = z.object({ type: z.literal("function_call"), call_id: z.string().min(1), name: z.string().min(1), arguments: z.string() });
const CallOutputItem = z.object({ type: z.literal("function_call_output"), call_id: z.string().min(1), output: Content });
// What the model thought is the model's own affair once it has answered: templates leave it out of what went before.
const ReasoningItem = z.object({ type: z.literal("reasoning") });

export const InputItem = z.discriminatedUnion(
  "type",
  [MessageItem, CallItem, CallOutputItem, ReasoningItem],
  oneOf('an item of type "message", "function_call", "function_call_output" or "reasoning"'),
);
export type InputItem = z.infer<typeof InputItem>;

const Tool = z.object({
  type: z.literal("function", { error: 'expected a tool of type "function": this server runs no tools' }),
  name: z.string().regex(/^[\w./-]{1,128}$/, "expected 1 to 128 letters, digits, or any of _ - . /"),
  description: z.string().nullish(),
  /** JSON Schema of the arguments object. */
  parameters: z.record(z.string(), z.unknown()).nullish(),
  strict: z.boolean().nullish(),
});

const NamedTool = z.object({ type: z.literal("function", { error: 'expected a tool of type "function": this server runs no tools' }), name: z.string().min(1) });

/** Only these may be called, at will or in any case. */
const AllowedTools = z.object({ type: z.literal("allowed_tools"), mode: z.enum(["auto", "required"]), tools: z.array(NamedTool).min(1, "expected at least one tool") });

const ToolChoice = z.union([z.enum(["none", "auto", "required"]), z.discriminatedUnion("type", [NamedTool, AllowedTools])], {
  error: 'expected "none", "auto", "required", {"type": "function", "name": …} or {"type": "allowed_tools", "mode": "auto" or "required", "tools": […]}',
});

const TextFormat = z.discriminatedUnion(
  "type",
  [
    z.object({ type: z.literal("text") }),
    z.object({ type: z.literal("json_object") }),
    z.object({ type: z.literal("json_schema"), name: z.string(), schema: z.record(z.string(), z.unknown()), strict: z.boolean().nullish(), description: z.string().nullish() }),
  ],
  oneOf('a format of type "text", "json_object" or "json_schema"'),
);

/** A field that would change the answer and cannot be honoured. */
const refused = (instead: string) => z.null({ error: `expected nothing: this server does not do this. Instead, ${instead}` }).optional();

export const ResponsesRequest = z
  .object({
    /** The served model, one of its names; left out, the served model. */
    model: z.string().nullish(),
    input: z.union([z.string(), z.array(InputItem).min(1, "expected at least one item")], oneOf("a string or an array of items")),
    instructions: z.string().nullish(),
    /** Goes on from that response, as long as this server remembers it. */
    previous_response_id: z.string().nullish(),
    /** Whether the response is remembered. */
    store: z.boolean().nullish(),
    /** Answers at once and goes on without the client; `GET /v1/responses/{id}` tells how far it is. Not together with `stream`. */
    background: z.boolean().nullish(),
    stream: z.boolean().nullish(),
    max_output_tokens: z.number().int().min(1).nullish(),
    temperature: z.number().min(0).max(2).nullish(),
    top_p: z.number().gt(0).max(1).nullish(),
    tools: z.array(Tool).nullish(),
    tool_choice: ToolChoice.nullish(),
    parallel_tool_calls: z.boolean().nullish(),
    text: z.object({ format: TextFormat.nullish() }).nullish(),
    reasoning: z.object({ effort: z.string().nullish(), summary: z.string().nullish() }).nullish(),
    metadata: z.record(z.string(), z.string()).nullish(),
    truncation: z.literal("disabled", { error: 'expected "disabled": nothing is left out of a conversation here. Leave out yourself what is no longer needed' }).nullish(),
    conversation: refused("send previous_response_id"),
    prompt: refused("send input and instructions"),
  })
  .meta({ id: "ResponsesRequest" });
export type ResponsesRequest = z.infer<typeof ResponsesRequest>;
