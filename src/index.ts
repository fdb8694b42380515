/** The library: load a model, serve it, let it work a computer. */
export { Agent, type AgentOptions, type AgentResult } from "./agent/agent.js";
export { openComputer, type Computer, type Display, type OpenedComputer, type Screenshot, type WindowInfo, type Windows } from "./agent/computer/index.js";
export { anyApprover, type ApprovalRequest, type Approver, type Verdict } from "./agent/safety/approver.js";
export { RunController, type RunState } from "./agent/safety/run-controller.js";
export { DeskhandError, type ErrorCode } from "./core/errors.js";
export type { OnProgress, Progress } from "./core/progress.js";
export { convert } from "./engine/convert/convert.js";
export type { ConvertOptions, QuantizeOptions } from "./engine/convert/options.js";
export type { ChatRequest, Engine, FinishReason, Inference, InferenceEvent, ModelInfo, SamplingOptions, Timings, Usage } from "./engine/inference.js";
export type { AudioSource, ChatMessage, ContentPart, ImageSource, ToolCall, ToolDefinition, VideoPart, VideoSource } from "./engine/messages.js";
export { load, type ChatOptions, type ChatOutput, type GenerateOptions, type GenerationOutput, type GenerationStream, type LoadOptions, type Model } from "./engine/model.js";
export { SimpleEngine } from "./engine/simple-engine.js";
export { loadTranscriber, type Transcriber, type TranscriberInfo, type TranscriptStream } from "./engine/transcribe/transcriber.js";
export { formatTranscript, segmentText, type TranscriptFormat } from "./engine/transcribe/format.js";
export type { TranscribeOptions } from "./engine/transcribe/options.js";
export type { Transcript, TranscriptSegment, TranscriptWord } from "./engine/transcribe/transcript.js";
export { serve, type RunningServer, type ServeOptions } from "./server/start.js";
