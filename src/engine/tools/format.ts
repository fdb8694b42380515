import type { InferenceEvent } from "../inference.js";
import type { CallBlock, CallRules } from "../grammar/call-rules.js";
import type { ToolCall, ToolDefinition } from "../messages.js";

/** What a tool-call parser yields: text outside calls, and calls piece by piece. */
export type ToolCallEvent = Extract<InferenceEvent, { type: "text" | "tool_call" | "tool_call_arguments" }>;

/**
 * Splits a model's text into content and tool calls. What cannot be read as a call stays content, without the format's marks; half a mark at
 * the end is dropped. The joined events depend only on the whole text, never on how it was cut into deltas,
 * so streamed and whole answers are parsed by the same code.
 */
export interface ToolCallParser {
  feed(delta: string): ToolCallEvent[];
  /** What was held back, once no more text comes. A call cut short keeps the arguments it has. */
  end(): ToolCallEvent[];
}

export interface ParserOptions {
  /** The functions that can be called: their schemas give values their types and positional arguments their names. */
  tools?: readonly ToolDefinition[];
  /** Makes the id of each call that brings none of its own. */
  newId?: () => string;
}

/** One way in which models write tool calls. */
export interface ToolCallFormat {
  readonly name: string;
  /** Its marks that tokenizers may hold as special tokens, which have to stay visible for the parser. */
  readonly marks: readonly string[];
  /** True for a chat template that teaches this format. */
  matches(chatTemplate: string): boolean;
  /** Calls as the model writes them, for prompts of templates that have no place for them. */
  render(calls: readonly Pick<ToolCall, "name" | "arguments">[]): string;
  createParser(options?: ParserOptions): ToolCallParser;
  /** Calls as a grammar, by the marks that its blocks begin with: every one that the parser knows, first the one that templates teach. */
  blocks(rules: CallRules): CallBlock[];
}
