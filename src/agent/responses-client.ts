import type { Response, ResponseOutputItem } from "openai/resources/responses/responses";
import { throwIfAborted } from "../core/errors.js";
import type { AskOptions } from "./ask-model.js";
import type { ResponsesPrompt } from "./dialects/prompt.js";
import type { ModelClient, ModelReply, ReplyToolCall } from "./model-client.js";

/**
 * Asks for a response and streams it. Nothing is stored on the server: what a model needs to remember of its thinking comes back
 * encrypted, among the reply's items.
 */
export async function completeResponse(client: ModelClient, model: string, prompt: ResponsesPrompt, options: AskOptions): Promise<ModelReply> {
  const startedAt = performance.now();
  return client.request(options.signal, async (openai, signal) => {
    const { instructions, input, tools } = prompt;
    const stream = await openai.responses.create(
      { model, instructions, input, tools, max_output_tokens: options.sampling.max_tokens, truncation: "auto", store: false, include: ["reasoning.encrypted_content"], stream: true },
      { signal },
    );
    let firstPieceMs: number | undefined;
    let response: Response | undefined;
    for await (const event of stream) {
      if (event.type === "response.output_text.delta") options.onText?.(event.delta);
      if (event.type === "response.reasoning_summary_text.delta") options.onReasoning?.(event.delta);
      if (event.type.endsWith(".delta")) firstPieceMs ??= performance.now() - startedAt;
      if (event.type === "response.completed" || event.type === "response.incomplete" || event.type === "response.failed") response = event.response;
    }
    throwIfAborted(signal);
    if (!response) throw new Error("the stream ended before the response was finished");
    if (response.error) throw new Error(response.error.message);
    const totalMs = performance.now() - startedAt;
    const { usage } = response;
    return {
      text: response.output.map(textOf).filter((text) => text !== "").join("\n"),
      toolCalls: response.output.flatMap(toolCallOf),
      items: response.output,
      finishReason: response.incomplete_details?.reason === "max_output_tokens" ? "length" : "stop",
      usage: usage && { promptTokens: usage.input_tokens, completionTokens: usage.output_tokens, cachedTokens: usage.input_tokens_details.cached_tokens },
      firstPieceMs: firstPieceMs ?? totalMs,
      totalMs,
    };
  });
}

function textOf(item: ResponseOutputItem): string {
  if (item.type !== "message") return "";
  return item.content.map((part) => (part.type === "output_text" ? part.text : part.refusal)).join("");
}

/** A computer call becomes a call of `computer`, with the older single action as a list of one. */
function toolCallOf(item: ResponseOutputItem): ReplyToolCall[] {
  if (item.type === "function_call") return [{ id: item.call_id, name: item.name, arguments: item.arguments }];
  if (item.type !== "computer_call") return [];
  const { call_id: id, action, actions, pending_safety_checks } = item;
  return [{ id, name: "computer", arguments: JSON.stringify({ actions: actions ?? (action ? [action] : []), pending_safety_checks }) }];
}
