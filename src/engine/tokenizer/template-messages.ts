import { DeskhandError } from "../../core/errors.js";
import type { ChatMessage, ContentPart, ToolCall, ToolDefinition } from "../messages.js";

/** Which forms of a message's content a template understands. */
export interface ContentForms {
  string: boolean;
  parts: boolean;
}

type TemplatePart = { type: "text"; text: string } | { type: "image" };

/** A message as chat templates on the Hugging Face hub expect it (OpenAI's shape, arguments parsed). */
export interface TemplateMessage {
  role: ChatMessage["role"];
  content: string | TemplatePart[];
  tool_calls?: { id: string; type: "function"; function: { name: string; arguments: unknown } }[];
  tool_call_id?: string;
  name?: string;
}

/** @throws DeskhandError `unsupported_input` for a picture when the template has no place for one. */
export function templateMessages(messages: readonly ChatMessage[], forms: ContentForms): TemplateMessage[] {
  const names = new Map<string, string>();
  return messages.map((message, index) => {
    const content = templateContent(message.content, forms, index);
    if (message.role === "assistant" && message.toolCalls?.length) {
      for (const call of message.toolCalls) names.set(call.id, call.name);
      return { role: message.role, content, tool_calls: message.toolCalls.map(templateCall) };
    }
    if (message.role !== "tool") return { role: message.role, content };
    // Some templates need the function's name, which clients leave to the call the result belongs to.
    const name = message.name ?? names.get(message.toolCallId);
    return { role: message.role, content, tool_call_id: message.toolCallId, ...(name === undefined ? {} : { name }) };
  });
}

export function templateTools(tools: readonly ToolDefinition[]): unknown[] {
  return tools.map(({ name, description, parameters }) => ({
    type: "function",
    function: { name, ...(description === undefined ? {} : { description }), parameters: parameters ?? { type: "object", properties: {} } },
  }));
}

function templateContent(content: string | ContentPart[], forms: ContentForms, index: number): string | TemplatePart[] {
  if (typeof content === "string") return forms.string ? content : [{ type: "text", text: content }];
  if (forms.parts) return content.map((part) => (part.type === "text" ? { type: "text", text: part.text } : { type: "image" }));
  return content
    .map((part) => {
      if (part.type === "text") return part.text;
      throw new DeskhandError("unsupported_input", "This model's chat template has no place for pictures: it is a text-only model. Leave the picture out or choose a vision model (-VL).", { param: `messages[${index}].content` });
    })
    .join("");
}

/** Templates print arguments as JSON, so they get the object; text that is not JSON goes through as it is. */
function templateCall({ id, name, arguments: text }: ToolCall): NonNullable<TemplateMessage["tool_calls"]>[number] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    parsed = text;
  }
  return { id, type: "function", function: { name, arguments: parsed } };
}
