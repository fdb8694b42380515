import type { ChatCompletionFunctionTool, ChatCompletionMessageParam } from "openai/resources/chat/completions";
import type { ResponseInputItem, Tool } from "openai/resources/responses/responses";

/** What a model is sent, in the interface its family is served through. */
export type Prompt = ChatPrompt | ResponsesPrompt | MessagesPrompt;

/** `POST /v1/chat/completions`: every local server. */
export interface ChatPrompt {
  api: "chat";
  messages: ChatCompletionMessageParam[];
  tools: ChatCompletionFunctionTool[];
}

/** `POST /v1/responses`: OpenAI's own computer tool exists only there. */
export interface ResponsesPrompt {
  api: "responses";
  instructions: string;
  input: ResponseInputItem[];
  tools: Tool[];
}

/** `POST /v1/messages`: Anthropic's. Of its types only what is used here. */
export interface MessagesPrompt {
  api: "messages";
  system: string;
  messages: MessageParam[];
  tools: MessageTool[];
  /** For the `anthropic-beta` header. */
  betas: string[];
}

export interface MessageParam {
  role: "user" | "assistant";
  content: MessageBlock[];
}

export type MessageBlock =
  | { type: "text"; text: string }
  | MessageImage
  | { type: "tool_use"; id: string; name: string; input: unknown }
  | { type: "tool_result"; tool_use_id: string; is_error?: boolean; content: ({ type: "text"; text: string } | MessageImage)[] };

export interface MessageImage {
  type: "image";
  source: { type: "base64"; media_type: "image/png"; data: string };
}

export type MessageTool =
  | { type: "computer_20241022" | "computer_20250124"; name: "computer"; display_width_px: number; display_height_px: number }
  | { type: "computer_20251124"; name: "computer"; display_width_px: number; display_height_px: number; enable_zoom: boolean }
  | { name: string; description: string; input_schema: { type: "object"; properties: Record<string, unknown>; required: string[] } };
