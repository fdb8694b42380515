import { DeskhandError } from "../../core/errors.js";
import type { ChatMessage, ContentPart, ToolCall, ToolDefinition } from "../messages.js";
import type { SpecialTokenShield } from "./special-token-shield.js";

/** An answer's own marks of its thinking, which templates look for to leave it out. */
const OWN_MARKS = ["<think>", "</think>"];

/** Which forms of a message's content a template understands. */
export interface ContentForms {
  string: boolean;
  parts: boolean;
}

export type TemplatePart = { type: "text"; text: string } | { type: "image" } | { type: "video" } | { type: "audio" };

/** A message as chat templates on the Hugging Face hub expect it (OpenAI's shape, arguments parsed). */
export interface TemplateMessage {
  role: ChatMessage["role"];
  content: string | TemplatePart[];
  tool_calls?: { id: string; type: "function"; function: { name: string; arguments: unknown } }[];
  tool_call_id?: string;
  name?: string;
}

/** @throws DeskhandError `unsupported_input` for pictures, videos or sound when the template has no place for one. */
export function templateMessages(messages: readonly ChatMessage[], forms: ContentForms, shield?: SpecialTokenShield): TemplateMessage[] {
  const names = new Map<string, string>();
  return messages.map((message, index) => {
    const content = protectContent(templateContent(message.content, forms, index), message.role === "assistant" ? OWN_MARKS : [], shield);
    if (message.role === "assistant" && message.toolCalls?.length) {
      for (const call of message.toolCalls) names.set(call.id, call.name);
      return { role: message.role, content, tool_calls: message.toolCalls.map((call) => templateCall(call, shield)) };
    }
    if (message.role !== "tool") return { role: message.role, content };
    // Some templates need the function's name, which clients leave to the call the result belongs to.
    const name = message.name ?? names.get(message.toolCallId);
    return { role: message.role, content, tool_call_id: message.toolCallId, ...(name === undefined ? {} : { name: shield?.protect(name) ?? name }) };
  });
}

export function templateTools(tools: readonly ToolDefinition[], shield?: SpecialTokenShield): unknown[] {
  return tools.map(({ name, description, parameters }) => {
    const definition = { name, ...(description === undefined ? {} : { description }), parameters: parameters ?? { type: "object", properties: {} } };
    return { type: "function", function: shield?.protectAll(definition) ?? definition };
  });
}

/** Every text that a client put into messages and tool definitions. */
export function* textsOf(messages: readonly ChatMessage[], tools: readonly ToolDefinition[] = []): Generator<string> {
  for (const message of messages) {
    if (typeof message.content === "string") yield message.content;
    else for (const part of message.content) if (part.type === "text") yield part.text;
    if (message.role === "assistant") for (const call of message.toolCalls ?? []) yield call.name + call.arguments;
    if (message.role === "tool") yield message.name ?? "";
  }
  if (tools.length > 0) yield JSON.stringify(tools);
}

function protectContent(content: TemplateMessage["content"], except: readonly string[], shield: SpecialTokenShield | undefined): TemplateMessage["content"] {
  if (shield === undefined) return content;
  if (typeof content === "string") return shield.protect(content, except);
  return content.map((part) => (part.type === "text" ? { type: "text", text: shield.protect(part.text, except) } : part));
}

function templateContent(content: string | ContentPart[], forms: ContentForms, index: number): string | TemplatePart[] {
  if (typeof content === "string") return forms.string ? content : [{ type: "text", text: content }];
  if (forms.parts) return content.map((part) => (part.type === "text" ? { type: "text", text: part.text } : { type: part.type }));
  return content
    .map((part) => {
      if (part.type === "text") return part.text;
      throw new DeskhandError("unsupported_input", "This model's chat template has no place for pictures, videos or sound: it is a text-only model. Leave them out or choose a vision model (-VL).", { param: `messages[${index}].content` });
    })
    .join("");
}

/** Templates print arguments as JSON, so they get the object; text that is not JSON goes through as it is. */
function templateCall({ id, name, arguments: text }: ToolCall, shield: SpecialTokenShield | undefined): NonNullable<TemplateMessage["tool_calls"]>[number] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    parsed = text;
  }
  return { id, type: "function", function: { name: shield?.protect(name) ?? name, arguments: shield?.protectAll(parsed) ?? parsed } };
}
