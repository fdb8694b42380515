import type { OnProgress } from "../core/progress.js";
import type { ChatMessage, ToolCall, ToolDefinition } from "./messages.js";
import type { TranscribeOptions } from "./transcribe/options.js";
import type { Transcript, TranscriptSegment } from "./transcribe/transcript.js";

/** Sampling and length options. A field left out takes the model's generation_config.json, else the default in `generate/options.ts`. */
export interface SamplingOptions {
  /** Most tokens to generate. */
  maxTokens?: number;
  /** 0 is greedy. */
  temperature?: number;
  topP?: number;
  /** 0 keeps every token. */
  topK?: number;
  minP?: number;
  /** 1 is off. */
  repetitionPenalty?: number;
  /** How many of the latest tokens the repetition penalty looks at. */
  repetitionWindow?: number;
  /** Taken off the logit of each token that has been generated. */
  presencePenalty?: number;
  /** Taken off it as many times as the token has been generated. */
  frequencyPenalty?: number;
  /** Added to the logits of these token ids; -100 excludes one, in effect. */
  logitBias?: Record<string, number>;
  /** Tell the logarithm of each token's probability, and those of this many of the likeliest tokens in its place, at most 20. */
  logprobs?: number;
  /** 32-bit unsigned; the same seed gives the same text. */
  seed?: number;
  /** Generation ends before any of these strings; the string itself is not part of the text. */
  stop?: string[];
}

export type ResponseFormat = { type: "json_object" } | { type: "json_schema"; schema: unknown };

export interface ChatRequest extends SamplingOptions {
  messages: ChatMessage[];
  /** Goes on from this, as it is, instead of answering `messages`: no template, no tool calls, no thinking told apart. */
  prompt?: string | readonly number[];
  tools?: ToolDefinition[];
  /** `none` hides the tools from the model; `required` and a named tool make it call, with arguments that are valid by the tool's schema. */
  toolChoice?: "auto" | "none" | "required" | { name: string };
  /** Of the tools, by name, those that may be called; all where left out. The model is told of all of them, so that the prompt stays as it was. */
  allowedTools?: readonly string[];
  /** `false`: one call at most. */
  parallelToolCalls?: boolean;
  /** The answer (after the thinking) is JSON, of a schema where one is given; or calls, where tools are offered. */
  responseFormat?: ResponseFormat;
  /** All sounds of the messages together, decoded; longer ones are refused. Default: no limit. */
  maxSoundSeconds?: number;
  /** Further variables of the model's chat template, e.g. `{ enable_thinking: false }`. */
  templateVariables?: Record<string, unknown>;
}

export interface Usage {
  promptTokens: number;
  completionTokens: number;
  /** Prompt tokens that came from the prefix cache. */
  cachedTokens: number;
}

export interface Timings {
  /** Decoding pictures and running the image processor and tokenizer. */
  processMs: number;
  /** Prompt (and vision tower) up to the first token. */
  prefillMs: number;
  /** From the first token to the last. */
  decodeMs: number;
}

/** A token of an answer, as the UTF-8 bytes it stands for: half a character at times. */
export interface TokenLogprob {
  bytes: number[];
  /** Natural logarithm of the probability the model gave it: before temperature, penalties and constraints. */
  logprob: number;
  /** The likeliest tokens in its place, as many as were asked for. */
  top: { bytes: number[]; logprob: number }[];
}

export type FinishReason = "stop" | "length" | "tool_calls";

/** What a generation yields, in order: any number of deltas, then exactly one `finish`. */
export type InferenceEvent =
  /** The model's thinking, before its answer. */
  | { type: "reasoning"; text: string }
  | { type: "text"; text: string; logprobs?: TokenLogprob[] }
  | { type: "tool_call"; index: number; id: string; name: string }
  /** Joined deltas of one index are the JSON text of that call's arguments. */
  | { type: "tool_call_arguments"; index: number; delta: string }
  | { type: "finish"; finishReason: FinishReason; /** The stop string that ended it, if one did. */ stopString?: string; usage: Usage; timings: Timings; toolCalls: ToolCall[] };

export interface TranscriptionRequest extends Omit<TranscribeOptions, "signal" | "onProgress"> {
  /** A file's bytes, of any format that is heard. */
  sound: Uint8Array;
}

/** What a transcription yields: segments as they are heard, then exactly one `transcript`, which is all of it. */
export type TranscriptionEvent = { type: "segment"; segment: TranscriptSegment } | { type: "transcript"; transcript: Transcript };

export interface EmbeddingRequest {
  /** Texts, or their token ids. */
  inputs: readonly (string | readonly number[])[];
  /** How much of each vector is wanted; all of it when left out. */
  dimensions?: number;
}

export interface Embeddings {
  /** One for each input, in order. */
  vectors: Float32Array[];
  promptTokens: number;
}

/** What an engine costs at this moment. */
export interface EngineStats {
  /** Memory of the process that it runs in. */
  rssBytes: number;
  /** Bytes in live tensors. */
  activeBytes: number;
  /** Bytes that tensors left and that are kept for reuse. */
  cacheBytes: number;
  /** Of the model itself: taken as long as it is loaded. */
  weightBytes: number;
  /** What generations under way were let in with. Beside these two everything can be let go of. */
  runningBytes: number;
  liveTensors: number;
}

/** What a model can be asked for: the methods of `Inference` that do not throw `unsupported_input`. */
export type EngineTask = "generate" | "transcribe" | "embed";

export interface ModelInfo {
  id: string;
  tasks: readonly EngineTask[];
  /** e.g. `qwen3_vl`. */
  modelType: string;
  /** Longest prompt plus completion, in tokens. */
  contextLength: number;
  /** Whether it takes pictures. */
  vision: boolean;
  /** Whether it takes sound. */
  audio: boolean;
}

export interface EncodeRequest {
  text: string;
  /** Lets the tokenizer add its own beginning. */
  addSpecialTokens?: boolean;
}

export interface CallOptions {
  signal?: AbortSignal;
}

/**
 * A model behind a door: in this process, in one of its own, and the scripted one for tests.
 * `generate` and `transcribe` reject before their first event when the request is at fault, and stop within one step of an abort
 * (ending with a `cancelled` error). Leaving the iteration early cancels too.
 */
export interface Inference {
  readonly info: ModelInfo;
  generate(request: ChatRequest, options?: CallOptions): AsyncIterable<InferenceEvent>;
  transcribe(request: TranscriptionRequest, options?: CallOptions): AsyncIterable<TranscriptionEvent>;
  /** Vectors that lie close for texts that mean the same, where the model was trained for it. */
  embed(request: EmbeddingRequest, options?: CallOptions): Promise<Embeddings>;
  /** Token ids of a text. */
  encode(request: EncodeRequest): Promise<number[]>;
  /** The text of token ids, special ones included. */
  decode(tokens: readonly number[]): Promise<string>;
  /** Token ids of the whole prompt that `generate` would begin with, the places of media included. Rejects as `generate` does. */
  promptTokens(request: ChatRequest, options?: CallOptions): Promise<number[]>;
  stats(): Promise<EngineStats>;
  /**
   * From now on weights, what is remembered of prompts, and pictures keep to this many bytes. What is kept for later prompts goes at once; what
   * has begun goes on, and what waits and cannot fit any more is refused. @returns what it costs then.
   */
  limitMemory(bytes: number): Promise<EngineStats>;
  /** Ends what is running and frees the model. Safe to call twice. */
  stop(): Promise<void>;
}

/** What an engine that stands outside this process can be in, once it was started. */
export type EngineState = "loading" | "ready" | "failed";

export interface EngineStartOptions {
  signal?: AbortSignal;
  onProgress?: OnProgress;
  /** Told when a started engine is lost and being replaced, when it is back, and when it will not come back. */
  onState?: (state: EngineState) => void;
}

/** An `Inference` that is started explicitly, so that a server can listen while its model loads. */
export interface Engine extends Inference {
  start(options?: EngineStartOptions): Promise<void>;
}
