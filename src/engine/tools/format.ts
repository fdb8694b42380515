import type { InferenceEvent } from "../inference.js";

/** What a tool-call parser yields: text outside calls, and calls piece by piece. */
export type ToolCallEvent = Extract<InferenceEvent, { type: "text" | "tool_call" | "tool_call_arguments" }>;

/**
 * Splits a model's text into content and tool calls. The joined events depend only on the whole text, never on how it was cut into deltas,
 * so streamed and whole answers are parsed by the same code.
 */
export interface ToolCallParser {
  feed(delta: string): ToolCallEvent[];
  /** What was held back, once no more text comes. A call cut short keeps the arguments it has. */
  end(): ToolCallEvent[];
}

/** One way in which models write tool calls. */
export interface ToolCallFormat {
  readonly name: string;
  /** True for a chat template that teaches this format. */
  matches(chatTemplate: string): boolean;
  /** @param newId makes the id of each call. */
  createParser(newId?: () => string): ToolCallParser;
}
