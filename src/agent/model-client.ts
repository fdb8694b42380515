import { setTimeout as delay } from "node:timers/promises";
import OpenAI from "openai";
import type { ChatCompletionChunk, ChatCompletionCreateParamsStreaming, ChatCompletionFunctionTool, ChatCompletionMessageParam } from "openai/resources/chat/completions";
import type { ResponseOutputItem } from "openai/resources/responses/responses";
import { z } from "zod";
import { DeskhandError, throwIfAborted } from "../core/errors.js";
import { explainServerError, isConnectionRefused, toBaseURL } from "./model-server.js";

/** A server that has just been started may refuse the first connection. */
const RECONNECT_AFTER_MS = 500;

/** Times our own server reports beside `usage`; other servers do not. */
const ServerTimings = z.object({ process_ms: z.number(), prefill_ms: z.number(), decode_ms: z.number() });
export type ServerTimings = z.infer<typeof ServerTimings>;

/** Thinking has no field in OpenAI's API; this is the one local servers share. */
const ThinkingDelta = z.object({ reasoning_content: z.string() });

export interface ReplyToolCall {
  id: string;
  name: string;
  /** JSON text, as the model wrote it. */
  arguments: string;
}

export interface ReplyUsage {
  promptTokens: number;
  completionTokens: number;
  cachedTokens?: number;
}

/** One answer of the model, whole. */
export interface ModelReply {
  /** The text beside the structured tool calls, unchanged. */
  text: string;
  toolCalls: ReplyToolCall[];
  /** The reply in the server's own form, where that has to be sent back unchanged. */
  items?: ResponseOutputItem[];
  finishReason: string;
  usage?: ReplyUsage;
  serverTimings?: ServerTimings;
  /** From sending the request to the first piece of the answer, and to its end. */
  firstPieceMs: number;
  totalMs: number;
}

/** What a reply says, without the thinking that some servers leave in its text. */
export function withoutThinking({ text }: Pick<ModelReply, "text">): string {
  return text.replace(/<think>[\s\S]*?<\/think>/, "");
}

/** Sampling as the chat completions request spells it. */
export interface Sampling {
  temperature?: number;
  repetition_penalty?: number;
  max_tokens: number;
  /** For the model's chat template: every local server knows it. */
  chat_template_kwargs?: { enable_thinking: boolean };
}

export interface ModelRequest {
  messages: ChatCompletionMessageParam[];
  tools: ChatCompletionFunctionTool[];
  sampling: Sampling;
  signal?: AbortSignal;
  /** Told of text as it arrives. */
  onText?: (text: string) => void;
  /** Told of the model's thinking as it arrives; it is no part of the reply. */
  onReasoning?: (text: string) => void;
}

/** A model behind an OpenAI-compatible server. Repeats nothing, except once when the very first connection is refused. */
export class ModelClient {
  readonly baseURL: string;
  readonly #openai: OpenAI;
  readonly #addressOption: string | undefined;
  #connected = false;

  /** `addressOption` is how the address was given, for messages. */
  constructor(options: { baseURL: string; apiKey?: string; addressOption?: string }) {
    this.baseURL = toBaseURL(options.baseURL);
    this.#addressOption = options.addressOption;
    // Local servers take any key, but the client insists on one.
    this.#openai = new OpenAI({ baseURL: this.baseURL, apiKey: options.apiKey ?? process.env["OPENAI_API_KEY"] ?? "none", maxRetries: 0 });
  }

  /** Ids of the models the server offers. @throws DeskhandError `model_server`, `cancelled`. */
  async listModels(signal?: AbortSignal): Promise<string[]> {
    return this.request(signal, async (openai, signal) => (await openai.models.list({ signal })).data.map((model) => model.id));
  }

  /** The model to ask where none was named. @throws DeskhandError as `listModels` does, and when there is none. */
  async firstModel(signal?: AbortSignal): Promise<string> {
    const [first] = await this.listModels(signal);
    if (first !== undefined) return first;
    throw new DeskhandError("model_server", `Expected the model server at ${this.baseURL} to offer a model but its list is empty. Name one with --model.`);
  }

  /**
   * Asks for one reply and streams it, so that an abort ends the generation at once.
   * @throws DeskhandError `model_server` for anything the server or the connection got wrong, `cancelled` on abort.
   */
  async complete(model: string, request: ModelRequest): Promise<ModelReply> {
    const { signal } = request;
    // `repetition_penalty` is not OpenAI's, but local servers know it and their default would spoil JSON.
    const body: ChatCompletionCreateParamsStreaming & Sampling = {
      model,
      messages: request.messages,
      ...request.sampling,
      ...(request.tools.length > 0 && { tools: request.tools }),
      stream: true,
      stream_options: { include_usage: true },
    };
    const startedAt = performance.now();
    return this.request(signal, async (openai, signal) => {
      const stream = await openai.chat.completions.create(body, { signal });
      const reply = new ReplyBuilder(startedAt, request);
      for await (const chunk of stream) reply.add(chunk);
      // The client ends an aborted stream without an error.
      throwIfAborted(signal);
      return reply.finish();
    });
  }

  /**
   * Sends any request through the official client, with what this one adds: the second try, and errors that say what to do.
   * @throws DeskhandError `model_server`, `cancelled`.
   */
  async request<T>(signal: AbortSignal | undefined, sendWith: (openai: OpenAI, signal: AbortSignal) => Promise<T>): Promise<T> {
    throwIfAborted(signal);
    using own = followSignal(signal);
    const send = () => sendWith(this.#openai, own.signal);
    try {
      try {
        return await send();
      } catch (error) {
        if (this.#connected || !isConnectionRefused(error)) throw error;
        await delay(RECONNECT_AFTER_MS, undefined, { signal });
        return await send();
      }
    } catch (error) {
      throwIfAborted(signal);
      throw explainServerError(error, { baseURL: this.baseURL, addressOption: this.#addressOption, apiKey: this.#openai.apiKey ?? undefined });
    } finally {
      this.#connected = true;
    }
  }
}

/** Joins the pieces of a stream. */
class ReplyBuilder {
  #text = "";
  readonly #calls: ReplyToolCall[] = [];
  #finishReason: string | undefined;
  #usage: ReplyUsage | undefined;
  #serverTimings: ServerTimings | undefined;
  #firstPieceMs: number | undefined;
  readonly #startedAt: number;
  readonly #listeners: Pick<ModelRequest, "onText" | "onReasoning">;

  constructor(startedAt: number, listeners: Pick<ModelRequest, "onText" | "onReasoning">) {
    this.#startedAt = startedAt;
    this.#listeners = listeners;
  }

  add(chunk: ChatCompletionChunk & { timings?: unknown }): void {
    const choice = chunk.choices[0];
    const thinking = ThinkingDelta.safeParse(choice?.delta).data?.reasoning_content;
    if (thinking) {
      this.#firstPieceMs ??= this.#elapsed();
      this.#listeners.onReasoning?.(thinking);
    }
    if (choice?.delta.content) {
      this.#firstPieceMs ??= this.#elapsed();
      this.#text += choice.delta.content;
      this.#listeners.onText?.(choice.delta.content);
    }
    for (const piece of choice?.delta.tool_calls ?? []) {
      this.#firstPieceMs ??= this.#elapsed();
      const call = (this.#calls[piece.index] ??= { id: `call_${piece.index}`, name: "", arguments: "" });
      if (piece.id) call.id = piece.id;
      call.name += piece.function?.name ?? "";
      call.arguments += piece.function?.arguments ?? "";
    }
    if (choice?.finish_reason) this.#finishReason = choice.finish_reason;
    if (chunk.usage) {
      const { prompt_tokens, completion_tokens, prompt_tokens_details } = chunk.usage;
      this.#usage = { promptTokens: prompt_tokens, completionTokens: completion_tokens, cachedTokens: prompt_tokens_details?.cached_tokens };
    }
    this.#serverTimings = ServerTimings.safeParse(chunk.timings).data ?? this.#serverTimings;
  }

  finish(): ModelReply {
    if (this.#finishReason === undefined) throw new Error("the stream ended before the reply was finished");
    const totalMs = this.#elapsed();
    return {
      text: this.#text,
      toolCalls: this.#calls.filter((call) => call !== undefined),
      finishReason: this.#finishReason,
      usage: this.#usage,
      serverTimings: this.#serverTimings,
      firstPieceMs: this.#firstPieceMs ?? totalMs,
      totalMs,
    };
  }

  #elapsed(): number {
    return performance.now() - this.#startedAt;
  }
}

/** A signal of its own for one request: the client leaves its listeners on the signal it is given, and a run makes many requests. */
function followSignal(signal: AbortSignal | undefined): Disposable & { signal: AbortSignal } {
  const controller = new AbortController();
  const follow = () => controller.abort(signal?.reason);
  signal?.addEventListener("abort", follow, { once: true });
  return { signal: controller.signal, [Symbol.dispose]: () => signal?.removeEventListener("abort", follow) };
}
