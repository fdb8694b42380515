import { setTimeout as delay } from "node:timers/promises";
import OpenAI, { APIConnectionError, APIError, APIUserAbortError } from "openai";
import type { ChatCompletionChunk, ChatCompletionCreateParamsStreaming, ChatCompletionFunctionTool, ChatCompletionMessageParam } from "openai/resources/chat/completions";
import { z } from "zod";
import { DeskhandError, isDeskhandError, messageOf, throwIfAborted } from "../core/errors.js";

/** A server that has just been started may refuse the first connection. */
const RECONNECT_AFTER_MS = 500;

/** Times our own server reports beside `usage`; other servers do not. */
const ServerTimings = z.object({ process_ms: z.number(), prefill_ms: z.number(), decode_ms: z.number() });
export type ServerTimings = z.infer<typeof ServerTimings>;

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
  finishReason: string;
  usage?: ReplyUsage;
  serverTimings?: ServerTimings;
  /** From sending the request to the first piece of the answer, and to its end. */
  firstPieceMs: number;
  totalMs: number;
}

/** Sampling as the chat completions request spells it. */
export interface Sampling {
  temperature: number;
  repetition_penalty: number;
  max_tokens: number;
}

export interface ModelRequest {
  messages: ChatCompletionMessageParam[];
  tools: ChatCompletionFunctionTool[];
  sampling: Sampling;
  signal?: AbortSignal;
  /** Told of text as it arrives. */
  onText?: (text: string) => void;
}

/** A model behind an OpenAI-compatible server. Repeats nothing, except once when the very first connection is refused. */
export class ModelClient {
  readonly baseURL: string;
  readonly #openai: OpenAI;
  #connected = false;

  constructor(options: { baseURL: string; apiKey?: string }) {
    this.baseURL = toBaseURL(options.baseURL);
    // Local servers take any key, but the client insists on one.
    this.#openai = new OpenAI({ baseURL: this.baseURL, apiKey: options.apiKey ?? process.env["OPENAI_API_KEY"] ?? "none", maxRetries: 0 });
  }

  /** Ids of the models the server offers. @throws DeskhandError `model_server`, `cancelled`. */
  async listModels(signal?: AbortSignal): Promise<string[]> {
    return this.#request(signal, async (signal) => (await this.#openai.models.list({ signal })).data.map((model) => model.id));
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
    return this.#request(signal, async (signal) => {
      const stream = await this.#openai.chat.completions.create(body, { signal });
      const reply = new ReplyBuilder(startedAt, request.onText);
      for await (const chunk of stream) reply.add(chunk);
      // The client ends an aborted stream without an error.
      throwIfAborted(signal);
      return reply.finish();
    });
  }

  async #request<T>(signal: AbortSignal | undefined, sendWith: (signal: AbortSignal) => Promise<T>): Promise<T> {
    throwIfAborted(signal);
    using own = followSignal(signal);
    const send = () => sendWith(own.signal);
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
      throw this.#explain(error);
    } finally {
      this.#connected = true;
    }
  }

  #explain(error: unknown): DeskhandError {
    if (isDeskhandError(error) && error.code !== "model_server") return error;
    const wrap = (happened: string, advice: string) =>
      new DeskhandError("model_server", `Expected an answer from the model server at ${this.baseURL} but ${happened}. ${advice}`, { cause: error });
    if (isConnectionRefused(error)) return wrap("the connection was refused", "Is it running? Start one with `deskhand serve`, or check the address given with --base-url.");
    if (error instanceof APIUserAbortError) return new DeskhandError("cancelled", "The request to the model was cancelled.", { cause: error });
    if (error instanceof APIConnectionError) return wrap(`the connection failed: ${rootMessage(error)}`, "Check the address given with --base-url and the server's log.");
    if (isAPIError(error)) {
      const status = error.status === undefined ? "an error in mid-stream" : `status ${error.status}`;
      return wrap(`it gave ${status}: ${detailOf(error)}`, adviceFor(error.status));
    }
    return wrap(`the answer could not be read: ${messageOf(error)}`, "Check that the address is that of an OpenAI-compatible server.");
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
  readonly #onText: ((text: string) => void) | undefined;

  constructor(startedAt: number, onText: ((text: string) => void) | undefined) {
    this.#startedAt = startedAt;
    this.#onText = onText;
  }

  add(chunk: ChatCompletionChunk & { timings?: unknown }): void {
    const choice = chunk.choices[0];
    if (choice?.delta.content) {
      this.#firstPieceMs ??= this.#elapsed();
      this.#text += choice.delta.content;
      this.#onText?.(choice.delta.content);
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

/** An address without a path means the usual `/v1`. */
function toBaseURL(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol !== "http:" && url?.protocol !== "https:") {
    throw new DeskhandError("invalid_argument", `Expected a base URL such as http://127.0.0.1:8000/v1 but received ${JSON.stringify(address)}.`, { param: "baseURL" });
  }
  if (url.pathname === "/") url.pathname = "/v1";
  return url.href.replace(/\/$/, "");
}

function* causes(error: unknown): Iterable<Error> {
  for (let at = error; at instanceof Error; at = at.cause) {
    yield at;
    if (at instanceof AggregateError) for (const inner of at.errors as unknown[]) yield* causes(inner);
  }
}

/** A plain `instanceof` leaves its fields untyped. */
function isAPIError(error: unknown): error is APIError {
  return error instanceof APIError;
}

function isConnectionRefused(error: unknown): boolean {
  return [...causes(error)].some((at) => (at as NodeJS.ErrnoException).code === "ECONNREFUSED");
}

function rootMessage(error: unknown): string {
  return [...causes(error)].at(-1)?.message ?? messageOf(error);
}

/** The server's own words, without the status the client puts before them. */
function detailOf(error: APIError): string {
  const body: unknown = error.error;
  const message = typeof body === "object" && body !== null && "message" in body ? body.message : undefined;
  return (typeof message === "string" ? message : error.message).replace(/\.$/, "");
}

function adviceFor(status: number | undefined): string {
  if (status === 401 || status === 403) return "Give the key it expects (apiKey, or OPENAI_API_KEY in the environment).";
  if (status === 404) return "Check the model's name (--model) and that the address ends where the API begins, usually in /v1.";
  if (status === 429) return "It is busy: try again later.";
  return "See the server's log for what went wrong.";
}
