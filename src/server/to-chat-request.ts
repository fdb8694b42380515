import type { ChatRequest } from "../engine/inference.js";
import type { ChatMessage, ContentPart as EnginePart, ToolDefinition } from "../engine/messages.js";
import type { ToolsRequest } from "./legacy-functions.js";
import type { PictureResolver } from "./pictures/resolver.js";
import type { Content, Message } from "./schemas/chat-request.js";
import { pathText } from "./schemas/parse.js";

/** The engine's form of a request: pictures fetched and in their place, names and nulls translated. */
export async function toChatRequest(body: ToolsRequest, pictures: PictureResolver, signal: AbortSignal): Promise<ChatRequest> {
  const resolved = await pictures.resolve(body.messages.flatMap(pictureUrls), signal);
  return {
    messages: body.messages.map((message) => toChatMessage(message, resolved)),
    tools: body.tools?.length ? body.tools.map(toToolDefinition) : undefined,
    toolChoice: body.tool_choice === "none" ? "none" : "auto",
    maxTokens: body.max_completion_tokens ?? body.max_tokens ?? undefined,
    temperature: body.temperature ?? undefined,
    topP: body.top_p ?? undefined,
    topK: body.top_k == null ? undefined : Math.max(0, body.top_k),
    minP: body.min_p ?? undefined,
    repetitionPenalty: body.repetition_penalty ?? undefined,
    seed: body.seed == null ? undefined : body.seed >>> 0,
    stop: typeof body.stop === "string" ? [body.stop] : (body.stop ?? undefined),
  };
}

function pictureUrls(message: Message, index: number): { url: string; param: string }[] {
  if (!Array.isArray(message.content)) return [];
  return message.content.flatMap((part, partIndex) =>
    part.type === "image_url" ? [{ url: part.image_url.url, param: pathText(["messages", index, "content", partIndex, "image_url", "url"]) }] : [],
  );
}

/** Takes this message's pictures off the front of `pictures`, which are in the order of the request. */
function toChatMessage(message: Message, pictures: Uint8Array[]): ChatMessage {
  const content = toContent(message.content ?? "", pictures);
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

function toContent(content: Content, pictures: Uint8Array[]): string | EnginePart[] {
  if (typeof content === "string") return content;
  return content.map((part): EnginePart => {
    if (part.type === "text") return part;
    const image = pictures.shift();
    if (!image) throw new Error("fewer pictures were resolved than the request holds");
    return { type: "image", image };
  });
}

function toToolDefinition({ function: tool }: NonNullable<ToolsRequest["tools"]>[number]): ToolDefinition {
  return { name: tool.name, description: tool.description ?? undefined, parameters: tool.parameters ?? undefined };
}
