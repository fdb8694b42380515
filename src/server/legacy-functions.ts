import type { ChatCompletion, ChatCompletionChunk } from "./schemas/chat-answer.js";
import type { ChatCompletionRequest, Message } from "./schemas/chat-request.js";

/** `functions` and `function_call`, as OpenAI's API had them before tools and as many programs still send them: translated at the door. */

/** A request in terms of tools alone. */
export type ToolsRequest = Omit<ChatCompletionRequest, "messages" | "functions" | "function_call"> & { messages: Message[] };

/** Whether the answer has to be in the older form too. */
export function asksForFunctions({ functions, tools }: ChatCompletionRequest): boolean {
  return (functions?.length ?? 0) > 0 && !tools?.length;
}

export function inTermsOfTools({ messages, functions, function_call, ...rest }: ChatCompletionRequest): ToolsRequest {
  // The older form has no ids; a call's place among the messages tells it from the others.
  let callId = "call_none";
  const translated = messages.map((message, index): Message => {
    if (message.role === "function") return { role: "tool", tool_call_id: callId, name: message.name, content: message.content ?? "" };
    if (message.role !== "assistant" || !message.function_call) return message;
    callId = `call_${index}`;
    return { ...message, tool_calls: [...(message.tool_calls ?? []), { id: callId, type: "function", function: message.function_call }] };
  });
  if (!functions?.length || rest.tools?.length) return { ...rest, messages: translated };
  const tools = functions.map((definition) => ({ type: "function" as const, function: definition }));
  if (typeof function_call !== "object" || function_call === null) return { ...rest, messages: translated, tools, tool_choice: function_call };
  // The older form has room for one call: none is written in vain.
  return { ...rest, messages: translated, tools, tool_choice: { type: "function", function: function_call }, parallel_tool_calls: false };
}

/** The answer with its call as a `function_call`. The older form has room for one: it is the first. */
export function withFunctionCall(completion: ChatCompletion): ChatCompletion {
  return { ...completion, choices: completion.choices.map(inOlderForm) };
}

function inOlderForm({ message, finish_reason, ...choice }: ChatCompletion["choices"][number]): ChatCompletion["choices"][number] {
  const { tool_calls: [call] = [], ...rest } = message;
  if (!call) return { ...choice, message, finish_reason };
  return { ...choice, message: { ...rest, function_call: call.function }, finish_reason: inOlderWords(finish_reason) };
}

/** The same for the chunks of a stream. */
export async function* withFunctionCallDeltas(chunks: AsyncIterable<ChatCompletionChunk>): AsyncGenerator<ChatCompletionChunk> {
  for await (const chunk of chunks) {
    const [choice] = chunk.choices;
    if (!choice) {
      yield chunk;
      continue;
    }
    const { tool_calls: [call] = [], ...delta } = choice.delta;
    if (call && call.index > 0) continue;
    const finish_reason = choice.finish_reason && inOlderWords(choice.finish_reason);
    yield { ...chunk, choices: [{ ...choice, delta: call ? { ...delta, function_call: call.function } : delta, finish_reason }] };
  }
}

function inOlderWords(reason: ChatCompletion["choices"][number]["finish_reason"]) {
  return reason === "tool_calls" ? ("function_call" as const) : reason;
}
