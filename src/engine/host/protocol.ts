import { DeskhandError, isDeskhandError, messageOf, type ErrorCode } from "../../core/errors.js";
import type { Progress } from "../../core/progress.js";
import type { ChatRequest, EmbeddingRequest, Embeddings, EncodeRequest, EngineStats, InferenceEvent, ModelInfo, TranscriptionEvent, TranscriptionRequest } from "../inference.js";
import type { SimpleEngineOptions } from "../simple-engine.js";

/** What the engine's process can be asked for, and what each call yields on its way. */
export interface Calls {
  generate: { request: ChatRequest; event: InferenceEvent };
  transcribe: { request: TranscriptionRequest; event: TranscriptionEvent };
  embed: { request: EmbeddingRequest; event: Embeddings };
  encode: { request: EncodeRequest; event: number[] };
  decode: { request: readonly number[]; event: string };
  promptTokens: { request: ChatRequest; event: number[] };
  stats: { request: undefined; event: EngineStats };
  /** Bytes. */
  limitMemory: { request: number; event: EngineStats };
}
export type CallName = keyof Calls;
export type CallEvent = Calls[CallName]["event"];
export type Call = { [Name in CallName]: { type: "call"; id: number; name: Name; request: Calls[Name]["request"] } }[CallName];

/** What a server's process tells the engine's; structured clones, so that bytes of pictures travel as they are. */
export type ToEngine =
  | { type: "start"; model: string; options: SimpleEngineOptions }
  | Call
  | { type: "cancel"; id: number }
  /** The bytes that a `want` asked for. */
  | { type: "picture"; number: number; bytes: Uint8Array }
  | { type: "stop" };

/** What the engine's process answers. Of every call comes exactly one `end` or `error`, the last of its id. */
export type FromEngine =
  | { type: "progress"; progress: Progress }
  | { type: "ready"; info: ModelInfo }
  | { type: "failed"; error: PlainError }
  /** Asks for the bytes of a picture that a call brought by digest alone. */
  | { type: "want"; number: number; id: number; sha256: string }
  /** From now on this picture may come by digest alone. */
  | { type: "seen"; sha256: string }
  | { type: "event"; id: number; event: CallEvent }
  | { type: "end"; id: number }
  | { type: "error"; id: number; error: PlainError };

/** An error as it crosses the border between processes: classes do not survive a structured clone. */
export interface PlainError {
  code: ErrorCode;
  message: string;
  param?: string;
  neededBytes?: number;
  stack?: string;
}

export function toPlainError(error: unknown): PlainError {
  const stack = error instanceof Error ? error.stack : undefined;
  if (isDeskhandError(error)) return { code: error.code, message: error.message, param: error.param, neededBytes: error.neededBytes, stack };
  return { code: "internal", message: messageOf(error), stack };
}

/** The error again, with the stack of where it was thrown. */
export function fromPlainError({ code, message, param, neededBytes, stack }: PlainError): DeskhandError {
  const error = new DeskhandError(code, message, { param, neededBytes });
  if (stack !== undefined) error.stack = stack;
  return error;
}
