import { z } from "zod";

/** What `POST /v1/chat/completions` answers: whole, or as the chunks of a stream. */

export const FinishReason = z.enum(["stop", "length", "tool_calls", "function_call"]);

export const Usage = z.strictObject({
  prompt_tokens: z.number().int(),
  completion_tokens: z.number().int(),
  total_tokens: z.number().int(),
  prompt_tokens_details: z.strictObject({ cached_tokens: z.number().int() }),
});
export type Usage = z.infer<typeof Usage>;

export const Timings = z.strictObject({ process_ms: z.number(), prefill_ms: z.number(), decode_ms: z.number() });
export type Timings = z.infer<typeof Timings>;

const AnswerFunctionCall = z.strictObject({ name: z.string(), arguments: z.string() });

export const AnswerToolCall = z.strictObject({ id: z.string(), type: z.literal("function"), function: AnswerFunctionCall });
export type AnswerToolCall = z.infer<typeof AnswerToolCall>;

const TokenLogprob = z.strictObject({
  token: z.string(),
  logprob: z.number(),
  /** Of its UTF-8: a token may be half a character. */
  bytes: z.array(z.number().int()),
});

/** Of each token of the content, in order. */
export const Logprobs = z.strictObject({ content: z.array(TokenLogprob.extend({ top_logprobs: z.array(TokenLogprob) })), refusal: z.null() });
export type Logprobs = z.infer<typeof Logprobs>;

const Choice = z.strictObject({
  index: z.number().int(),
  message: z.strictObject({
    role: z.literal("assistant"),
    /** Null when the answer is tool calls only. */
    content: z.string().nullable(),
    refusal: z.null(),
    /** The model's thinking, of models that think; the field's name is the one local servers share. */
    reasoning_content: z.string().optional(),
    tool_calls: z.array(AnswerToolCall).min(1).optional(),
    /** In place of tool_calls, when the request has functions in place of tools. */
    function_call: AnswerFunctionCall.optional(),
  }),
  logprobs: Logprobs.nullable(),
  finish_reason: FinishReason,
});

export const ChatCompletion = z.strictObject({
  id: z.string(),
  object: z.literal("chat.completion"),
  /** Unix time, seconds. */
  created: z.number().int(),
  model: z.string(),
  choices: z.array(Choice).min(1),
  usage: Usage,
  timings: Timings,
}).meta({ id: "ChatCompletion" });
export type ChatCompletion = z.infer<typeof ChatCompletion>;

/** The first delta of a call has the whole name; later ones only arguments. */
const FunctionCallDelta = z.strictObject({ name: z.string().optional(), arguments: z.string() });

const ToolCallDelta = z.strictObject({
  index: z.number().int(),
  /** The first delta of a call has id and type; later ones only arguments. */
  id: z.string().optional(),
  type: z.literal("function").optional(),
  function: FunctionCallDelta,
});

export const Delta = z.strictObject({
  role: z.literal("assistant").optional(),
  content: z.string().optional(),
  reasoning_content: z.string().optional(),
  tool_calls: z.array(ToolCallDelta).length(1).optional(),
  function_call: FunctionCallDelta.optional(),
});
export type Delta = z.infer<typeof Delta>;

export const ChatCompletionChunk = z.strictObject({
  id: z.string(),
  object: z.literal("chat.completion.chunk"),
  created: z.number().int(),
  model: z.string(),
  /** Empty in the usage chunk. */
  choices: z
    .array(z.strictObject({ index: z.number().int(), delta: Delta, logprobs: Logprobs.nullable(), finish_reason: FinishReason.nullable() }))
    .max(1),
  /** With `stream_options.include_usage`: null in every chunk but the last. */
  usage: Usage.nullable().optional(),
  /** On the chunk that carries the finish reason. */
  timings: Timings.optional(),
}).meta({ id: "ChatCompletionChunk" });
export type ChatCompletionChunk = z.infer<typeof ChatCompletionChunk>;
