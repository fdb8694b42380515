import type { OnProgress } from "../core/progress.js";
import type { GenerationDelta } from "./generate/thinking-stream.js";
import type { ChatRequest, FinishReason, SamplingOptions, Timings } from "./inference.js";
import type { ModelLimits } from "./limits.js";
import type { AudioSource, ImageSource, ToolCall, VideoSource } from "./messages.js";
import type { Device } from "./mlx/index.js";

export interface LoadOptions extends Partial<ModelLimits> {
  /** Default: the GPU where there is one. One device serves the whole process. */
  device?: Device;
  /** Type of weights and activations. Default: on the CPU, float32 activations and matrices as stored; on a GPU, all as stored. */
  dtype?: "float32" | "float16" | "bfloat16";
  /** Read and write tool calls in this format (a name of `tools/detect.ts`). Default: the one the chat template teaches. */
  toolFormat?: string;
  onProgress?: OnProgress;
  signal?: AbortSignal;
}

export interface GenerateOptions extends SamplingOptions {
  /** Pictures, before the text (or at their marks in a raw prompt). */
  images?: ImageSource[];
  /** Videos, after the pictures; what a family cannot see as a video becomes several pictures in its place. */
  videos?: VideoSource[];
  /** Frames a second to look at. Default: as the model's family does, mostly 2. */
  videoFps?: number;
  /** Most frames of each video to look at. Default: as the model's family does; 32 for families that see them as pictures. */
  videoMaxFrames?: number;
  /** Sound, after the videos. */
  audio?: AudioSource[];
  /** Send the prompt as it is, without the chat template. */
  raw?: boolean;
  signal?: AbortSignal;
}

export type ChatOptions = Omit<ChatRequest, "messages"> & { signal?: AbortSignal };

export interface GenerationOutput {
  /** The answer, without the thinking. */
  text: string;
  /** The model's thinking before its answer; empty for models that do not think, and for raw prompts, whose text is whole. */
  reasoning: string;
  /** Every token generated, the end-of-sequence token included. */
  tokenIds: number[];
  promptTokens: number;
  /** Prompt tokens that came from the prefix cache. */
  cachedTokens: number;
  completionTokens: number;
  finishReason: FinishReason;
  /** The stop string that ended it, if one did. */
  stopString?: string;
  timings: Timings;
}

export interface ChatOutput extends GenerationOutput {
  toolCalls: ToolCall[];
}

/** Yielded while text comes; returned at the end, with `text`, `reasoning` and `tokenIds` of the whole. */
export type GenerationStream = AsyncGenerator<GenerationDelta, GenerationOutput>;
