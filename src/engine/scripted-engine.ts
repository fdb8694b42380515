import { setImmediate as nextTurn } from "node:timers/promises";
import { DeskhandError, throwIfAborted } from "../core/errors.js";
import type { CallOptions, ChatRequest, EmbeddingRequest, Embeddings, EncodeRequest, Engine, EngineStats, FinishReason, InferenceEvent, ModelInfo, Timings, TranscriptionEvent, TranscriptionRequest, Usage } from "./inference.js";
import type { ToolCall } from "./messages.js";

export interface ScriptedToolCall {
  /** `call_<n>` when left out, n counting from 0 within the reply. */
  id?: string;
  name: string;
  /** JSON text, one delta; or several deltas, joined by whoever reads them. */
  arguments: string | string[];
}

/** What the engine says to one request. Every event but the last is one step, and counts as one completion token. */
export interface ScriptedReply {
  /** Deltas of thinking, before the text. */
  reasoning?: string | Iterable<string>;
  /** Text deltas, in order; a string is one delta. A generator may go on for ever. */
  text?: string | Iterable<string>;
  /** Called after the text. */
  toolCalls?: ScriptedToolCall[];
  finishReason?: FinishReason;
  stopString?: string;
  usage?: Partial<Usage>;
  timings?: Partial<Timings>;
  /** Thrown in place of the event of step `failAtStep` (0, the default, is before the first event). */
  error?: Error;
  failAtStep?: number;
  /** Awaited before each step; its time is the model's thinking time. */
  beforeStep?: (step: number, signal: AbortSignal | undefined) => void | Promise<void>;
}

export type Script = readonly (string | ScriptedReply)[] | ((request: ChatRequest, index: number) => string | ScriptedReply);

export interface ScriptedEngineOptions {
  info?: Partial<ModelInfo>;
  stats?: Partial<EngineStats>;
  /** What it makes of texts; without it, nothing. */
  embed?: (request: EmbeddingRequest) => Embeddings;
  /** What it hears in a sound; without it, it hears nothing at all. */
  hear?: (request: TranscriptionRequest, options: CallOptions) => AsyncIterable<TranscriptionEvent>;
  /** Awaited by `start`, e.g. to hold the model in the loading state. */
  onStart?: (signal: AbortSignal | undefined) => void | Promise<void>;
}

const LAST_CODE_POINT = 0x10ffff;

export type Outcome = "finished" | "cancelled" | "failed";

/**
 * An engine without a model, for tests of HTTP, the agent and the command line: it answers from a script and remembers what it
 * was asked. Like the real one it stops within one step of an abort, obeys `maxTokens`, and refuses to work before `start`.
 */
export class ScriptedEngine implements Engine {
  readonly info: ModelInfo;
  /** Every request, in the order it reached the engine. */
  readonly requests: ChatRequest[] = [];
  /** How each request ended; shorter than `requests` while one runs. */
  readonly outcomes: Outcome[] = [];
  /** What `limitMemory` was called with. */
  readonly limits: number[] = [];
  /** Steps taken so far, over all requests. */
  steps = 0;
  /** Generations running now, and the most that ever ran at once. */
  running = 0;
  maxRunning = 0;
  state: "new" | "started" | "stopped" = "new";

  readonly #script: Script;
  readonly #options: ScriptedEngineOptions;

  constructor(script: Script, options: ScriptedEngineOptions = {}) {
    this.#script = script;
    this.#options = options;
    this.info = { id: "scripted", tasks: ["generate"], modelType: "scripted", contextLength: 32_768, vision: true, audio: false, ...options.info };
  }

  async start(options: { signal?: AbortSignal } = {}): Promise<void> {
    await this.#options.onStart?.(options.signal);
    throwIfAborted(options.signal);
    this.state = "started";
  }

  stop(): Promise<void> {
    this.state = "stopped";
    return Promise.resolve();
  }

  async *generate(request: ChatRequest, options: CallOptions = {}): AsyncGenerator<InferenceEvent, void, undefined> {
    if (this.state !== "started") {
      throw new DeskhandError("engine_unavailable", `Expected a started engine but it is ${this.state}. Call start() first.`);
    }
    const reply = this.#next(request);
    this.maxRunning = Math.max(this.maxRunning, ++this.running);
    // Leaving the iteration early reaches only the finally block, so that is what "cancelled" is until proven otherwise.
    let outcome: Outcome = "cancelled";
    try {
      yield* this.#play(reply, request, options.signal);
      outcome = "finished";
    } catch (error) {
      if (!options.signal?.aborted) outcome = "failed";
      throw error;
    } finally {
      this.running--;
      this.outcomes.push(outcome);
    }
  }

  transcribe(request: TranscriptionRequest, options: CallOptions = {}): AsyncIterable<TranscriptionEvent> {
    if (this.#options.hear === undefined) throw new DeskhandError("unsupported_input", `${this.info.id} has no script for sounds.`);
    return this.#options.hear(request, options);
  }

  /** A token a character. */
  encode({ text }: EncodeRequest): Promise<number[]> {
    return Promise.resolve(Array.from(text, (character) => character.codePointAt(0) ?? 0));
  }

  /** Ids beyond the last character stand for nothing, as those beyond a real vocabulary do. */
  decode(tokens: readonly number[]): Promise<string> {
    return Promise.resolve(tokens.map((id) => (id <= LAST_CODE_POINT ? String.fromCodePoint(id) : "")).join(""));
  }

  /** The texts of the messages one after the other, and token 0 for each picture, video and sound. */
  promptTokens({ messages }: ChatRequest): Promise<number[]> {
    const parts = messages.flatMap(({ content }) => (typeof content === "string" ? [{ type: "text" as const, text: content }] : content));
    return this.encode({ text: parts.map((part) => (part.type === "text" ? part.text : "\0")).join("") });
  }

  embed(request: EmbeddingRequest): Promise<Embeddings> {
    if (this.#options.embed === undefined) throw new DeskhandError("unsupported_input", `${this.info.id} has no script for embeddings.`);
    return Promise.resolve(this.#options.embed(request));
  }

  stats(): Promise<EngineStats> {
    return Promise.resolve({ rssBytes: 0, activeBytes: 0, cacheBytes: 0, weightBytes: 0, runningBytes: 0, liveTensors: 0, ...this.#options.stats });
  }

  limitMemory(bytes: number): Promise<EngineStats> {
    this.limits.push(bytes);
    return this.stats();
  }

  #next(request: ChatRequest): ScriptedReply {
    const index = this.requests.push(request) - 1;
    const reply = typeof this.#script === "function" ? this.#script(request, index) : this.#script[index];
    if (reply === undefined) {
      throw new DeskhandError("internal", `The script has no reply for request ${index + 1}. Give ScriptedEngine one reply a request, or a function.`);
    }
    return typeof reply === "string" ? { text: reply } : reply;
  }

  async *#play(reply: ScriptedReply, request: ChatRequest, signal: AbortSignal | undefined): AsyncGenerator<InferenceEvent, void, undefined> {
    const toolCalls: ToolCall[] = [];
    let step = 0;
    let finishReason = reply.finishReason ?? (reply.toolCalls?.length ? "tool_calls" : "stop");
    for (const event of eventsOf(reply, toolCalls)) {
      if (request.maxTokens !== undefined && step >= request.maxTokens) {
        finishReason = "length";
        break;
      }
      await this.#step(reply, step++, signal);
      yield event;
    }
    await this.#step(reply, step, signal);
    yield {
      type: "finish",
      finishReason,
      stopString: reply.stopString,
      usage: { promptTokens: request.messages.length, completionTokens: step, cachedTokens: 0, ...reply.usage },
      timings: { processMs: 1, prefillMs: 2, decodeMs: 3, ...reply.timings },
      toolCalls,
    };
  }

  async #step(reply: ScriptedReply, step: number, signal: AbortSignal | undefined): Promise<void> {
    this.steps++;
    await reply.beforeStep?.(step, signal);
    // A real step leaves the event loop free, which is when an abort arrives.
    await nextTurn();
    throwIfAborted(signal);
    if (reply.error && step === (reply.failAtStep ?? 0)) throw reply.error;
  }
}

function* eventsOf(reply: ScriptedReply, toolCalls: ToolCall[]): Generator<InferenceEvent> {
  for (const type of ["reasoning", "text"] as const) {
    const text = reply[type] ?? [];
    for (const delta of typeof text === "string" ? [text] : text) yield { type, text: delta };
  }
  for (const [index, call] of (reply.toolCalls ?? []).entries()) {
    const id = call.id ?? `call_${index}`;
    const deltas = typeof call.arguments === "string" ? [call.arguments] : call.arguments;
    toolCalls.push({ id, name: call.name, arguments: deltas.join("") });
    yield { type: "tool_call", index, id, name: call.name };
    for (const delta of deltas) yield { type: "tool_call_arguments", index, delta };
  }
}
