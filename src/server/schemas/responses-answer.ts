import { z } from "zod";

/** What `/v1/responses` answers: whole, or as the events of a stream. */

const OutputText = z.strictObject({ type: z.literal("output_text"), text: z.string(), annotations: z.array(z.never()), logprobs: z.array(z.never()) });
const ReasoningText = z.strictObject({ type: z.literal("reasoning_text"), text: z.string() });
const ItemStatus = z.enum(["in_progress", "completed", "incomplete"]);
const head = { id: z.string(), status: ItemStatus };

export const OutputItem = z.discriminatedUnion("type", [
  z.strictObject({ ...head, type: z.literal("message"), role: z.literal("assistant"), content: z.array(OutputText) }),
  z.strictObject({ ...head, type: z.literal("reasoning"), summary: z.array(z.never()), content: z.array(ReasoningText) }),
  z.strictObject({ ...head, type: z.literal("function_call"), call_id: z.string(), name: z.string(), arguments: z.string() }),
]);
export type OutputItem = z.infer<typeof OutputItem>;

const ResponseUsage = z.strictObject({
  input_tokens: z.number().int(),
  input_tokens_details: z.strictObject({ cached_tokens: z.number().int(), cache_write_tokens: z.number().int() }),
  output_tokens: z.number().int(),
  output_tokens_details: z.strictObject({ reasoning_tokens: z.number().int() }),
  total_tokens: z.number().int(),
});

export const ResponseObject = z
  .strictObject({
    id: z.string(),
    object: z.literal("response"),
    /** Unix time, seconds. */
    created_at: z.number().int(),
    status: z.enum(["queued", "in_progress", "completed", "incomplete", "failed", "cancelled"]),
    background: z.boolean(),
    error: z.strictObject({ code: z.literal("server_error"), message: z.string() }).nullable(),
    incomplete_details: z.strictObject({ reason: z.literal("max_output_tokens") }).nullable(),
    model: z.string(),
    output: z.array(OutputItem),
    usage: ResponseUsage.nullable(),
    // What was asked for.
    instructions: z.string().nullable(),
    max_output_tokens: z.number().int().nullable(),
    metadata: z.record(z.string(), z.string()),
    parallel_tool_calls: z.boolean(),
    previous_response_id: z.string().nullable(),
    reasoning: z.strictObject({ effort: z.string().nullable(), summary: z.string().nullable() }),
    store: z.boolean(),
    temperature: z.number().nullable(),
    text: z.strictObject({ format: z.looseObject({ type: z.string() }) }),
    tool_choice: z.union([z.string(), z.looseObject({ type: z.string() })]),
    tools: z.array(z.looseObject({ type: z.string() })),
    top_p: z.number().nullable(),
    truncation: z.literal("disabled"),
  })
  .meta({ id: "Response" });
export type ResponseObject = z.infer<typeof ResponseObject>;

const numbered = { sequence_number: z.number().int() };
const ofItem = { ...numbered, output_index: z.number().int() };
const ofPart = { ...ofItem, item_id: z.string(), content_index: z.literal(0) };
const part = z.discriminatedUnion("type", [OutputText, ReasoningText]);

export const ResponseEvent = z
  .discriminatedUnion("type", [
    z.strictObject({
      ...numbered,
      type: z.enum(["response.created", "response.in_progress", "response.completed", "response.incomplete", "response.failed"]),
      response: ResponseObject,
    }),
    z.strictObject({ ...ofItem, type: z.enum(["response.output_item.added", "response.output_item.done"]), item: OutputItem }),
    z.strictObject({ ...ofPart, type: z.enum(["response.content_part.added", "response.content_part.done"]), part }),
    z.strictObject({ ...ofPart, type: z.literal("response.output_text.delta"), delta: z.string(), logprobs: z.array(z.never()) }),
    z.strictObject({ ...ofPart, type: z.literal("response.output_text.done"), text: z.string(), logprobs: z.array(z.never()) }),
    z.strictObject({ ...ofPart, type: z.literal("response.reasoning_text.delta"), delta: z.string() }),
    z.strictObject({ ...ofPart, type: z.literal("response.reasoning_text.done"), text: z.string() }),
    z.strictObject({ ...ofItem, type: z.literal("response.function_call_arguments.delta"), item_id: z.string(), delta: z.string() }),
    z.strictObject({ ...ofItem, type: z.literal("response.function_call_arguments.done"), item_id: z.string(), name: z.string(), arguments: z.string() }),
    z.strictObject({ ...numbered, type: z.literal("error"), code: z.string(), message: z.string(), param: z.string().nullable() }),
  ])
  .meta({ id: "ResponseEvent" });
export type ResponseEvent = z.infer<typeof ResponseEvent>;

export const DeletedResponse = z.strictObject({ id: z.string(), object: z.literal("response"), deleted: z.literal(true) }).meta({ id: "DeletedResponse" });
export type DeletedResponse = z.infer<typeof DeletedResponse>;
