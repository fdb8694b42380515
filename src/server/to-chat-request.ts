import { DeskhandError } from "../core/errors.js";
import { checkSchema } from "../engine/grammar/answers.js";
import type { ChatRequest, ResponseFormat } from "../engine/inference.js";
import type { ChatMessage, ContentPart as EnginePart, ToolDefinition } from "../engine/messages.js";
import { refuseDeepText } from "./json-depth.js";
import type { ToolsRequest } from "./legacy-functions.js";
import { AUDIO, IMAGE, VIDEO } from "./pictures/kinds.js";
import type { MediaUrl, PictureResolver } from "./pictures/resolver.js";
import type { Content, Message } from "./schemas/chat-request.js";
import { pathText } from "./schemas/parse.js";
import { toSamplingOptions } from "./schemas/sampling.js";

/** The engine's form of a request: pictures fetched and in their place, names and nulls translated. */
export async function toChatRequest(body: ToolsRequest, pictures: PictureResolver, signal: AbortSignal): Promise<ChatRequest> {
  checkSchemas(body);
  for (const [index, message] of body.messages.entries()) {
    if (message.role !== "assistant") continue;
    // Templates write them out value by value.
    for (const [at, call] of (message.tool_calls ?? []).entries()) refuseDeepText(call.function.arguments, pathText(["messages", index, "tool_calls", at, "function", "arguments"]));
  }
  const resolved = await pictures.resolve(body.messages.flatMap(mediaUrls), signal);
  return {
    messages: body.messages.map((message) => toChatMessage(message, resolved)),
    tools: body.tools?.length ? body.tools.map(toToolDefinition) : undefined,
    ...toToolChoice(body),
    parallelToolCalls: body.parallel_tool_calls ?? undefined,
    responseFormat: toResponseFormat(body),
    maxSoundSeconds: pictures.maxSoundSeconds,
    templateVariables: toTemplateVariables(body),
    maxTokens: body.max_completion_tokens ?? body.max_tokens ?? undefined,
    ...toSamplingOptions(body),
    logprobs: body.logprobs ? (body.top_logprobs ?? 0) : undefined,
  };
}

/** Refuses what cannot be enforced before anything is done for the request. */
function checkSchemas({ tools, tool_choice: choice, response_format: format, logprobs, top_logprobs }: ToolsRequest): void {
  if (format?.type === "json_schema" && format.json_schema.schema) checkSchema(format.json_schema.schema, "response_format.json_schema.schema");
  const { toolChoice, allowedTools } = toToolChoice({ tool_choice: choice });
  const isForced = toolChoice !== "none" && toolChoice !== "auto";
  const isCallable = (name: string): boolean => allowedTools?.includes(name) ?? (typeof toolChoice !== "object" || toolChoice.name === name);
  for (const [index, { function: tool }] of (tools ?? []).entries()) {
    if (tool.parameters && choice !== "none" && isCallable(tool.name) && (isForced ? tool.strict !== false : tool.strict)) checkSchema(tool.parameters, `tools[${index}].function.parameters`);
  }
  if (isForced && !tools?.length) throw new DeskhandError("invalid_argument", "tool_choice: expected tools to choose from but there are none.", { param: "tool_choice" });
  for (const [place, name] of namedIn(choice)) {
    if (!tools?.some(({ function: tool }) => tool.name === name)) throw new DeskhandError("invalid_argument", `${place}: expected one of the tools but received ${JSON.stringify(name)}.`, { param: place });
  }
  if (top_logprobs && !logprobs) throw new DeskhandError("invalid_argument", "top_logprobs: expected logprobs to be true beside it.", { param: "top_logprobs" });
}

/** Names in a tool choice, each with its place. */
function namedIn(choice: ToolsRequest["tool_choice"]): [place: string, name: string][] {
  if (typeof choice !== "object" || choice === null) return [];
  if (choice.type === "function") return [["tool_choice", choice.function.name]];
  return choice.allowed_tools.tools.map((tool, index) => [pathText(["tool_choice", "allowed_tools", "tools", index, "function", "name"]), tool.function.name]);
}

function toToolChoice({ tool_choice: choice }: Pick<ToolsRequest, "tool_choice">): Pick<ChatRequest, "toolChoice" | "allowedTools"> {
  if (typeof choice !== "object" || choice === null) return { toolChoice: choice ?? "auto" };
  if (choice.type === "function") return { toolChoice: { name: choice.function.name } };
  return { toolChoice: choice.allowed_tools.mode, allowedTools: namedIn(choice).map(([, name]) => name) };
}

function toResponseFormat({ response_format: format }: ToolsRequest): ResponseFormat | undefined {
  if (format == null || format.type === "text") return undefined;
  return format.type === "json_schema" && format.json_schema.schema ? { type: "json_schema", schema: format.json_schema.schema } : { type: "json_object" };
}

/** Thinking is switched by the names that chat templates have for it. */
function toTemplateVariables({ reasoning_effort: effort, chat_template_kwargs: given }: ToolsRequest): ChatRequest["templateVariables"] {
  if (effort == null) return given ?? undefined;
  const thinks = effort !== "none";
  return { enable_thinking: thinks, thinking: thinks, ...(thinks && { reasoning_effort: effort }), ...given };
}

function mediaUrls(message: Message, index: number): MediaUrl[] {
  if (!Array.isArray(message.content)) return [];
  return message.content.flatMap((part, partIndex) => {
    const paramOf = (...path: string[]) => pathText(["messages", index, "content", partIndex, ...path]);
    switch (part.type) {
      case "text":
        return [];
      case "image_url":
        return [{ url: part.image_url.url, param: paramOf("image_url", "url"), kind: IMAGE }];
      case "video_url":
        return [{ url: part.video_url.url, param: paramOf("video_url", "url"), kind: VIDEO }];
      case "input_audio": {
        const { data } = part.input_audio;
        return [{ url: /^(data|https?):/i.test(data) ? data : `data:;base64,${data}`, param: paramOf("input_audio", "data"), kind: AUDIO }];
      }
    }
  });
}

/** Takes this message's media off the front of `media`, which are in the order of the request. */
function toChatMessage(message: Message, media: Uint8Array[]): ChatMessage {
  const content = toContent(message.content ?? "", media);
  switch (message.role) {
    case "system":
    case "developer":
      return { role: "system", content };
    case "user":
      return { role: "user", content };
    case "tool":
      return { role: "tool", content, toolCallId: message.tool_call_id, name: message.name ?? undefined };
    case "assistant":
      return {
        role: "assistant",
        content,
        // Some clients send no text at all for a call without arguments.
        toolCalls: message.tool_calls?.map((call) => ({ id: call.id, name: call.function.name, arguments: call.function.arguments || "{}" })),
      };
  }
}

function toContent(content: Content, media: Uint8Array[]): string | EnginePart[] {
  if (typeof content === "string") return content;
  return content.map((part): EnginePart => {
    if (part.type === "text") return part;
    const bytes = media.shift();
    if (!bytes) throw new Error("fewer media were resolved than the request holds");
    if (part.type === "image_url") return { type: "image", image: bytes };
    if (part.type === "input_audio") return { type: "audio", audio: bytes };
    return { type: "video", video: bytes, fps: part.video_url.fps ?? undefined, maxFrames: part.video_url.max_frames ?? undefined };
  });
}

function toToolDefinition({ function: tool }: NonNullable<ToolsRequest["tools"]>[number]): ToolDefinition {
  return { name: tool.name, description: tool.description ?? undefined, parameters: tool.parameters ?? undefined, strict: tool.strict ?? undefined };
}
