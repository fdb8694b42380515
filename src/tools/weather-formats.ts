import type { ChatCompletionMessage, ChatCompletionMessageParam } from "openai/resources/chat/completions";

export type FormatName = "tools" | "functions";

/** The one function, as both formats describe it. */
export const WEATHER_FUNCTION = {
  name: "get_weather",
  description: "Get the current weather in a city",
  parameters: { type: "object", properties: { city: { type: "string", description: "City name" } }, required: ["city"] },
};

export interface FunctionCall {
  name: string;
  /** JSON text, as the model wrote it. */
  arguments: string;
  /** Ties the result to the call; the older format has none. */
  id?: string;
}

/** How a request defines a function, how an answer calls it, and how its result goes back. */
export interface WeatherFormat {
  name: FormatName;
  /** Fields of the request. */
  definition: object;
  /** The `finish_reason` of an answer that calls. */
  finishReason: string;
  callsOf(answer: ChatCompletionMessage): FunctionCall[];
  /** The answer that called and the function's result, for the next request. */
  backTo(answer: ChatCompletionMessage, call: FunctionCall, result: string): ChatCompletionMessageParam[];
}

const TOOLS: WeatherFormat = {
  name: "tools",
  definition: { tools: [{ type: "function", function: WEATHER_FUNCTION }] },
  finishReason: "tool_calls",
  callsOf: ({ tool_calls }) => (tool_calls ?? []).flatMap((call) => (call.type === "function" ? [{ ...call.function, id: call.id }] : [])),
  backTo: ({ content }, { id = "", ...call }, result) => [
    { role: "assistant", content, tool_calls: [{ id, type: "function", function: call }] },
    { role: "tool", tool_call_id: id, content: result },
  ],
};

/** What OpenAI's API had before tools; many programs still speak it. */
const FUNCTIONS: WeatherFormat = {
  name: "functions",
  definition: { functions: [WEATHER_FUNCTION] },
  finishReason: "function_call",
  callsOf: ({ function_call }) => (function_call ? [function_call] : []),
  backTo: ({ content }, { name, arguments: text }, result) => [
    { role: "assistant", content, function_call: { name, arguments: text } },
    { role: "function", name, content: result },
  ],
};

export const FORMATS: Record<FormatName, WeatherFormat> = { tools: TOOLS, functions: FUNCTIONS };
