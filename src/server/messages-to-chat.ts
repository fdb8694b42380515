import type { ChatRequest } from "../engine/inference.js";
import type { PictureResolver } from "./pictures/resolver.js";
import type { AssistantBlock, CountTokensRequest, ImageBlock, MessagesRequest, UserBlock } from "./schemas/messages-request.js";
import { DeskhandError } from "../core/errors.js";
import { TranslatedMessages, type PlacedPart } from "./translated-request.js";

type TextBlock = Extract<UserBlock, { type: "text" }>;

/** The engine's form of a request in Anthropic's: tool results become messages of their own, everything keeps its place. */
export async function messagesToChat(body: CountTokensRequest & Partial<MessagesRequest>, pictures: PictureResolver, signal: AbortSignal): Promise<ChatRequest> {
  if (body.messages.at(-1)?.role === "assistant") {
    throw new DeskhandError("unsupported_input", "messages: expected the last message to be the user's. Going on from the beginning of an answer is not supported; ask for its form in the system prompt.", { param: "messages" });
  }
  const translated = new TranslatedMessages();
  if (body.system?.length) {
    const texts = typeof body.system === "string" ? [body.system] : body.system.map(({ text }) => text);
    translated.messages.push({ role: "system", content: texts.join("\n\n") });
  }
  for (const [index, { role, content }] of body.messages.entries()) {
    const origin = `messages.${index}.content`;
    if (typeof content === "string") translated.messages.push({ role, content });
    else if (role === "user") addUserBlocks(translated, content, origin);
    else addAssistantBlocks(translated, content);
  }
  return translated.toChatRequest(fieldsOf(body), (param) => nameOf(body, param), pictures, signal);
}

function addUserBlocks(translated: TranslatedMessages, blocks: readonly UserBlock[], origin: string): void {
  let parts: PlacedPart[] = [];
  const endMessage = (): void => {
    if (parts.length > 0) translated.messages.push({ role: "user", content: translated.content(parts) });
    parts = [];
  };
  for (const [index, block] of blocks.entries()) {
    const place = `${origin}.${index}`;
    if (block.type !== "tool_result") {
      parts.push(toPart(block, place));
      continue;
    }
    endMessage();
    const { content } = block;
    const inner = typeof content === "string" ? [{ type: "text" as const, text: content }] : (content ?? []);
    const result = inner.map((part, at) => toPart(part, `${place}.content.${at}`));
    // The chat form has no field for it, and the model should know.
    if (block.is_error) result.unshift({ part: { type: "text", text: "Error: " }, origin: place });
    translated.messages.push({ role: "tool", tool_call_id: block.tool_use_id, content: translated.content(result) });
  }
  endMessage();
}

function addAssistantBlocks({ messages }: TranslatedMessages, blocks: readonly AssistantBlock[]): void {
  const text = blocks.flatMap((block) => (block.type === "text" ? [block.text] : [])).join("");
  const calls = blocks.flatMap((block) =>
    block.type === "tool_use" ? [{ id: block.id, type: "function" as const, function: { name: block.name, arguments: JSON.stringify(block.input) } }] : [],
  );
  messages.push({ role: "assistant", content: text, ...(calls.length > 0 && { tool_calls: calls }) });
}

function toPart(block: TextBlock | ImageBlock, origin: string): PlacedPart {
  if (block.type === "text") return { part: { type: "text", text: block.text }, origin };
  const { source } = block;
  const url = source.type === "url" ? source.url : `data:${source.media_type};base64,${source.data}`;
  return { part: { type: "image_url", image_url: { url } }, origin: `${origin}.source` };
}

function fieldsOf(body: CountTokensRequest & Partial<MessagesRequest>) {
  const { tool_choice: choice, thinking } = body;
  const format = body.output_config?.format ?? body.output_format;
  return {
    max_tokens: body.max_tokens,
    temperature: body.temperature,
    top_p: body.top_p,
    top_k: body.top_k,
    stop: body.stop_sequences,
    tools: body.tools?.map(({ name, description, input_schema, strict }) => ({ type: "function" as const, function: { name, description, parameters: input_schema, strict } })),
    tool_choice: choice == null ? undefined : choice.type === "any" ? "required" : choice.type === "tool" ? { type: "function", function: { name: choice.name } } : choice.type,
    ...(choice != null && choice.type !== "none" && choice.disable_parallel_tool_use && { parallel_tool_calls: false }),
    response_format: format && { type: format.type, json_schema: { name: "answer", schema: format.schema } },
    ...(thinking?.type === "disabled" && { reasoning_effort: "none" }),
    ...(thinking?.type === "enabled" && { chat_template_kwargs: { enable_thinking: true, thinking: true } }),
  };
}

/** A field of the chat request in the client's words. */
function nameOf(body: CountTokensRequest, param: string): string {
  const format = body.output_config?.format ? "output_config.format" : "output_format";
  return param.replace(/^tools\[(\d+)\]\.function\.parameters/, "tools.$1.input_schema").replace(/^response_format\.json_schema/, format);
}
