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
export function templateMessages(messages: readonly ChatMessage[], forms: ContentForms, { shield, pictureMark }: { shield?: SpecialTokenShield; pictureMark?: (number: number) => string } = {}): TemplateMessage[] {
  const names = new Map<string, string>();
  const marks = pictureMark && new PictureMarks(messages, pictureMark);
  return messages.map((message, index) => {
    const content = templateContent(message.content, forms, { index, marks, protect: (text) => shield?.protect(text, message.role === "assistant" ? OWN_MARKS : []) ?? text });
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

/** Marks of pictures for templates that take text only, counted through the conversation. None where the caller has written them. */
class PictureMarks {
  readonly #mark: (number: number) => string;
  readonly #areWritten: boolean;
  #count = 0;

  constructor(messages: readonly ChatMessage[], mark: (number: number) => string) {
    const pictures = messages.flatMap(({ content }) => (typeof content === "string" ? [] : content.filter(({ type }) => type === "image"))).length;
    const text = [...textsOf(messages)].join("\n");
    this.#mark = mark;
    this.#areWritten = pictures > 0 && Array.from({ length: pictures }, (_, i) => mark(i + 1).trim()).every((written) => text.includes(written));
  }

  next(): string {
    return this.#areWritten ? "" : this.#mark(++this.#count);
  }
}

interface ContentOptions {
  /** Of the message. */
  index: number;
  marks: PictureMarks | undefined;
  protect: (text: string) => string;
}

function templateContent(content: string | ContentPart[], forms: ContentForms, { index, marks, protect }: ContentOptions): string | TemplatePart[] {
  if (typeof content === "string") return forms.string ? protect(content) : [{ type: "text", text: protect(content) }];
  if (forms.parts) return content.map((part) => (part.type === "text" ? { type: "text", text: protect(part.text) } : { type: part.type }));
  let joined = "";
  // Texts side by side are protected together: a token may be spelled across them.
  let text = "";
  for (const part of content) {
    if (part.type === "text") text += part.text;
    else if (part.type === "image" && marks !== undefined) {
      joined += protect(text) + marks.next();
      text = "";
    } else {
      throw new DeskhandError("unsupported_input", "This model's chat template has no place for pictures, videos or sound: it is a text-only model. Leave them out or choose a vision model (-VL).", { param: `messages[${index}].content` });
    }
  }
  return joined + protect(text);
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
