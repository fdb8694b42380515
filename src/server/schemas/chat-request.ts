import { z } from "zod";
import { SAMPLING_FIELDS } from "./sampling.js";

/**
 * `POST /v1/chat/completions`: the request as OpenAI's SDKs send it, plus the sampling fields local servers share (`top_k`, `min_p`,
 * `repetition_penalty`). Optional fields take null for absent, as the SDKs' types do. Fields not named here are ignored, except
 * those in `unsupported.ts`, whose silent loss would change the answer.
 */

/** The union's own message for a discriminator that fits no branch; other issues keep zod's message. */
const oneOf = (what: string) => ({
  error: (issue: { code?: string }) => (issue.code === "invalid_union" ? `expected ${what}` : undefined),
});

export const ImageUrl = z.object(
  {
    /** `data:` or `http(s):` URL. */
    url: z.string().min(1),
    /** A hint for other servers; the image processor decides the resolution here. */
    detail: z.string().nullish(),
  },
  {
    error: (issue) =>
      typeof issue.input === "string"
        ? 'expected an object, {"type": "image_url", "image_url": {"url": "…"}}, but received a bare string. Put the URL into the object\'s "url"'
        : undefined,
  },
);

export const ContentPart = z.discriminatedUnion(
  "type",
  [
    z.object({ type: z.literal("text"), text: z.string() }),
    z.object({ type: z.literal("image_url"), image_url: ImageUrl }),
    z.object({
      type: z.literal("input_audio"),
      input_audio: z.object({
        /** Base64 of a sound file, or a `data:` or `http(s):` URL. */
        data: z.string().min(1),
        /** The file itself says what it is. */
        format: z.string().nullish(),
      }),
    }),
    z.object({
      type: z.literal("video_url"),
      video_url: z.object({
        /** `data:` or `http(s):` URL. */
        url: z.string().min(1),
        /** Frames a second to look at, and at most how many; as the model's family does where left out. */
        fps: z.number().gt(0).max(60).nullish(),
        max_frames: z.number().int().min(1).max(768).nullish(),
      }),
    }),
  ],
  oneOf('a content part of type "text", "image_url", "input_audio" or "video_url"'),
);
export type ContentPart = z.infer<typeof ContentPart>;

const Content = z.union([z.string(), z.array(ContentPart)], oneOf("a string or an array of content parts"));
export type Content = z.infer<typeof Content>;

const FunctionCall = z.object({ name: z.string().min(1), arguments: z.string() });

const RequestToolCall = z.object({
  id: z.string().min(1),
  type: z.literal("function").default("function"),
  function: FunctionCall,
});

const ROLES = oneOf('a message with role "system", "developer", "user", "assistant" or "tool"');

export const Message = z.discriminatedUnion(
  "role",
  [
    z.object({ role: z.enum(["system", "developer"]), content: Content }),
    z.object({ role: z.literal("user"), content: Content }),
    z
      .object({ role: z.literal("assistant"), content: Content.nullish(), tool_calls: z.array(RequestToolCall).nullish(), function_call: FunctionCall.nullish() })
      .refine((message) => message.content != null || message.tool_calls?.length || message.function_call, {
        path: ["content"],
        error: "expected content, tool_calls, or both in an assistant message",
      }),
    z.object({ role: z.literal("tool"), content: Content, tool_call_id: z.string().min(1), name: z.string().nullish() }),
  ],
  ROLES,
);
export type Message = z.infer<typeof Message>;

/** A function's result as it was sent before there were tools. */
const FunctionMessage = z.object({ role: z.literal("function"), name: z.string().min(1), content: z.string().nullish() });

const FunctionDefinition = z.object({
  name: z.string().regex(/^[\w./-]{1,128}$/, "expected 1 to 128 letters, digits, or any of _ - . /"),
  description: z.string().nullish(),
  /** JSON Schema of the arguments object. */
  parameters: z.record(z.string(), z.unknown()).nullish(),
  /** Calls have arguments that are valid by the schema, always; without, they are only where `tool_choice` makes the model call. `false`: never. */
  strict: z.boolean().nullish(),
});

const Tool = z.object({ type: z.literal("function"), function: FunctionDefinition });

const NamedTool = z.object({ type: z.literal("function"), function: z.object({ name: z.string() }) });

/** Only these may be called, at will or in any case; the model is told of all tools, so that the prompt stays as it was. */
const AllowedTools = z.object({
  type: z.literal("allowed_tools"),
  allowed_tools: z.object({ mode: z.enum(["auto", "required"]), tools: z.array(NamedTool).min(1, "expected at least one tool") }),
});

const ToolChoice = z.union([z.enum(["none", "auto", "required"]), z.discriminatedUnion("type", [NamedTool, AllowedTools])], {
  error: 'expected "none", "auto", "required", {"type": "function", "function": {"name": "…"}} or {"type": "allowed_tools", "allowed_tools": {"mode": "auto" or "required", "tools": […]}}',
});

/** What the answer has to be: enforced while it is written. */
const ResponseFormat = z.discriminatedUnion(
  "type",
  [
    z.object({ type: z.literal("text") }),
    z.object({ type: z.literal("json_object") }),
    z.object({
      type: z.literal("json_schema"),
      json_schema: z.object({
        name: z.string().regex(/^[\w-]{1,64}$/, "expected 1 to 64 letters, digits, _ or -"),
        description: z.string().nullish(),
        schema: z.record(z.string(), z.unknown()).nullish(),
        /** The schema is enforced whatever is said here. */
        strict: z.boolean().nullish(),
      }),
    }),
  ],
  oneOf('"text", "json_object" or "json_schema"'),
);

const MAX_CHOICES = 16;

export const ChatCompletionRequest = z.object({
  /** The served model, one of its names; left out, the served model. */
  model: z.string().nullish(),
  messages: z.array(z.discriminatedUnion("role", [Message, FunctionMessage], ROLES)).min(1, "expected at least one message"),
  /** Most tokens to generate; `max_tokens` is the older name, and yields to this one. */
  max_completion_tokens: z.number().int().min(1).nullish(),
  max_tokens: z.number().int().min(1).nullish(),
  ...SAMPLING_FIELDS,
  logprobs: z.boolean().nullish(),
  top_logprobs: z.number().int().min(0).max(20).nullish(),
  /** Answers to give, each a choice of its own. */
  n: z.number().int().min(1).max(MAX_CHOICES).nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
  tools: z.array(Tool).nullish(),
  tool_choice: ToolChoice.nullish(),
  /** `false`: one call at most. */
  parallel_tool_calls: z.boolean().nullish(),
  response_format: ResponseFormat.nullish(),
  /** How much a model thinks that can be told; `none` is not at all. */
  reasoning_effort: z.enum(["none", "minimal", "low", "medium", "high", "xhigh"]).nullish(),
  /** Variables of the model's chat template, e.g. `{"enable_thinking": false}`. */
  chat_template_kwargs: z.record(z.string(), z.unknown()).nullish(),
  /** What `tools` and `tool_choice` were called before; the answer then has a `function_call`. */
  functions: z.array(FunctionDefinition).nullish(),
  function_call: z.union([z.enum(["none", "auto"]), z.object({ name: z.string() })], { error: 'expected "none" or "auto"' }).nullish(),
}).meta({ id: "ChatCompletionRequest" });
export type ChatCompletionRequest = z.infer<typeof ChatCompletionRequest>;
