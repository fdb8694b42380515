import { z } from "zod";
import { throwIfAborted } from "../core/errors.js";
import type { AskOptions } from "./ask-model.js";
import type { MessagesPrompt } from "./dialects/prompt.js";
import type { ModelClient, ModelReply, ReplyToolCall } from "./model-client.js";

const API_VERSION = "2023-06-01";

const Usage = z.object({ input_tokens: z.number().nullish(), output_tokens: z.number().nullish(), cache_read_input_tokens: z.number().nullish(), cache_creation_input_tokens: z.number().nullish() });
/** The events of a streamed message, as far as they matter here; others (`ping`) are ignored. */
const Event = z.discriminatedUnion("type", [
  z.object({ type: z.literal("message_start"), message: z.object({ usage: Usage }) }),
  z.object({ type: z.literal("content_block_start"), index: z.number(), content_block: z.object({ type: z.string(), id: z.string().optional(), name: z.string().optional() }) }),
  z.object({ type: z.literal("content_block_delta"), index: z.number(), delta: z.object({ type: z.string(), text: z.string().optional(), partial_json: z.string().optional() }) }),
  z.object({ type: z.literal("message_delta"), delta: z.object({ stop_reason: z.string().nullish() }), usage: Usage.optional() }),
]);

/** Asks for a message of Anthropic's interface and streams it, through the same client as every other request. */
export async function completeMessage(client: ModelClient, model: string, prompt: MessagesPrompt, options: AskOptions): Promise<ModelReply> {
  const { api: _api, betas, ...body } = prompt;
  const startedAt = performance.now();
  return client.request(options.signal, async (openai, signal) => {
    const stream = await openai.post<AsyncIterable<unknown>>("/messages", {
      body: { model, max_tokens: options.sampling.max_tokens, ...body, stream: true },
      headers: { "x-api-key": openai.apiKey, authorization: null, "anthropic-version": API_VERSION, ...(betas.length > 0 && { "anthropic-beta": betas.join(",") }) },
      stream: true,
      signal,
    });
    const reply = new MessageBuilder(startedAt, options);
    for await (const event of stream) reply.add(event);
    throwIfAborted(signal);
    return reply.finish();
  });
}

class MessageBuilder {
  readonly #texts: string[] = [];
  readonly #calls = new Map<number, ReplyToolCall>();
  #stopReason: string | undefined;
  #promptTokens = 0;
  #cachedTokens = 0;
  #completionTokens = 0;
  #firstPieceMs: number | undefined;
  readonly #startedAt: number;
  readonly #options: AskOptions;

  constructor(startedAt: number, options: AskOptions) {
    this.#startedAt = startedAt;
    this.#options = options;
  }

  add(raw: unknown): void {
    const event = Event.safeParse(raw).data;
    switch (event?.type) {
      case "message_start":
        this.#count(event.message.usage);
        break;
      case "content_block_start":
        if (event.content_block.type === "tool_use") this.#calls.set(event.index, { id: event.content_block.id ?? `call_${event.index}`, name: event.content_block.name ?? "", arguments: "" });
        break;
      case "content_block_delta": {
        this.#firstPieceMs ??= performance.now() - this.#startedAt;
        const { text, partial_json } = event.delta;
        const call = this.#calls.get(event.index);
        if (call) call.arguments += partial_json ?? "";
        if (text !== undefined) {
          this.#texts[event.index] = (this.#texts[event.index] ?? "") + text;
          this.#options.onText?.(text);
        }
        break;
      }
      case "message_delta":
        this.#stopReason = event.delta.stop_reason ?? this.#stopReason;
        if (event.usage) this.#count(event.usage);
        break;
      case undefined:
        break;
    }
  }

  finish(): ModelReply {
    if (this.#stopReason === undefined) throw new Error("the stream ended before the message was finished");
    const totalMs = performance.now() - this.#startedAt;
    return {
      text: this.#texts.filter((text) => text !== undefined).join("\n"),
      // A call without arguments has no deltas.
      toolCalls: [...this.#calls.values()].map((call) => ({ ...call, arguments: call.arguments || "{}" })),
      finishReason: this.#stopReason === "max_tokens" ? "length" : this.#stopReason,
      usage: { promptTokens: this.#promptTokens, completionTokens: this.#completionTokens, cachedTokens: this.#cachedTokens },
      firstPieceMs: this.#firstPieceMs ?? totalMs,
      totalMs,
    };
  }

  /** The prompt is counted in three parts; the answer's count grows. */
  #count({ input_tokens, output_tokens, cache_read_input_tokens, cache_creation_input_tokens }: z.infer<typeof Usage>): void {
    if (input_tokens != null) {
      this.#cachedTokens = cache_read_input_tokens ?? 0;
      this.#promptTokens = input_tokens + this.#cachedTokens + (cache_creation_input_tokens ?? 0);
    }
    this.#completionTokens = output_tokens ?? this.#completionTokens;
  }
}
