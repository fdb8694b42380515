import type { ChatRequest } from "../engine/inference.js";
import type { PictureResolver } from "./pictures/resolver.js";
import type { InputItem, ResponsePart, ResponsesRequest } from "./schemas/responses-request.js";
import { TranslatedMessages, type PlacedPart } from "./translated-request.js";

/** The items of a request's own input. */
export function inputItems({ input }: ResponsesRequest): InputItem[] {
  return typeof input === "string" ? [{ role: "user", content: input }] : input;
}

/** The engine's form of a request for a response, with what was said before it. */
export async function responsesToChat(body: ResponsesRequest, before: readonly InputItem[], pictures: PictureResolver, signal: AbortSignal): Promise<ChatRequest> {
  const translated = new TranslatedMessages();
  if (body.instructions) translated.messages.push({ role: "system", content: body.instructions });
  for (const item of before) addItem(translated, item, "previous_response_id");
  for (const [index, item] of inputItems(body).entries()) addItem(translated, item, `input[${index}]`);
  return translated.toChatRequest(fieldsOf(body), nameOf, pictures, signal);
}

function addItem(translated: TranslatedMessages, item: InputItem, origin: string): void {
  const { messages } = translated;
  switch (item.type) {
    case "reasoning":
      return;
    case "function_call": {
      const call = { id: item.call_id, type: "function" as const, function: { name: item.name, arguments: item.arguments } };
      const last = messages.at(-1);
      // What was said and called in one answer is one message.
      if (last?.role === "assistant") last.tool_calls = [...(last.tool_calls ?? []), call];
      else messages.push({ role: "assistant", content: null, tool_calls: [call] });
      return;
    }
    case "function_call_output":
      messages.push({ role: "tool", tool_call_id: item.call_id, content: translated.content(toParts(item.output, `${origin}.output`)) });
      return;
    default:
      messages.push({ role: item.role, content: translated.content(toParts(item.content, `${origin}.content`)) });
  }
}

function toParts(content: string | readonly ResponsePart[], origin: string): PlacedPart[] {
  if (typeof content === "string") return [{ part: { type: "text", text: content }, origin }];
  return content.map((part, index): PlacedPart => {
    const place = `${origin}[${index}]`;
    if (part.type === "input_image") return { part: { type: "image_url", image_url: { url: part.image_url } }, origin: `${place}.image_url` };
    return { part: { type: "text", text: part.type === "refusal" ? part.refusal : part.text }, origin: place };
  });
}

function fieldsOf(body: ResponsesRequest): Record<string, unknown> {
  const format = body.text?.format;
  return {
    max_completion_tokens: body.max_output_tokens,
    temperature: body.temperature,
    top_p: body.top_p,
    tools: body.tools?.map(({ type, ...tool }) => ({ type, function: tool })),
    tool_choice: choiceOf(body.tool_choice),
    parallel_tool_calls: body.parallel_tool_calls,
    reasoning_effort: body.reasoning?.effort,
    response_format: format?.type === "json_schema" ? { type: format.type, json_schema: { name: format.name, schema: format.schema, strict: format.strict, description: format.description } } : format,
  };
}

function choiceOf(choice: ResponsesRequest["tool_choice"]): unknown {
  if (typeof choice !== "object" || choice === null) return choice;
  const named = ({ name }: { name: string }) => ({ type: "function", function: { name } });
  return choice.type === "function" ? named(choice) : { type: choice.type, allowed_tools: { mode: choice.mode, tools: choice.tools.map(named) } };
}

/** A field of the chat request in the client's words. */
function nameOf(param: string): string {
  return param.replace(/^(tools\[\d+\])\.function\./, "$1.").replace(/^tool_choice\.allowed_tools\.(tools\[\d+\])\.function/, "tool_choice.$1").replace(/^response_format\.json_schema/, "text.format");
}
