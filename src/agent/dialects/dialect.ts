import type { ChatCompletionFunctionTool, ChatCompletionMessageParam } from "openai/resources/chat/completions";
import type { Action } from "../actions.js";
import type { CoordinateChain, ModelSpace, PointTrace, Size } from "../coordinates.js";
import type { ModelReply, Sampling } from "../model-client.js";

/**
 * What size of picture a model wants: the screen's own, each side rounded to `multiple`, and both scaled together until at least
 * `minPixels` and at most `maxPixels` remain.
 */
export interface PictureSize {
  multiple: number;
  minPixels: number;
  maxPixels: number;
}

/** What the agent itself tells the model beside a screenshot: that the run goes in circles, what was refused, what a person said. */
export interface Notice {
  text: string;
  /** Data URI of a part of the same screenshot, enlarged. */
  detail?: string;
}

/** One finished step, as the next prompt needs it. */
export interface Turn {
  /** What was done, in the model's own words where it gave any. */
  summary: string;
  reply: ModelReply;
  /** Data URI of the screenshot the reply was given for. */
  picture: string;
  /** What stood beside that screenshot. */
  notice?: Notice;
  /** Whether anything changed on the screen afterwards, a blinking caret apart. */
  hadEffect: boolean;
  /** Set when not all of it was done; the next notice says why. */
  refused?: boolean;
}

/** Everything a prompt is made of. */
export interface Conversation {
  task: string;
  turns: readonly Turn[];
  /** Data URI of the current screenshot. */
  picture: string;
  /** What to tell beside it; only for a dialect that `acceptsNotices`. */
  notice?: Notice;
  /** The reply to this very screenshot that could not be used, and why. */
  correction?: { reply: ModelReply; reason: string };
}

/** An action with the journey of each of its points, in the order the model gave them. */
export interface ParsedAction {
  action: Action;
  points: PointTrace[];
}

export interface ParsedStep {
  summary: string;
  /** At least one, in the order to be done. */
  actions: ParsedAction[];
}

/** How one model family is spoken to: pure translation, no input or output. */
export interface Dialect {
  readonly name: string;
  /** Whether this dialect is the one for a model, by its id or alias. */
  matches(modelId: string): boolean;
  readonly space: ModelSpace;
  readonly pictureSize: PictureSize;
  /** The virtual display on which the model is at its best. */
  readonly display: Size;
  readonly sampling: Sampling;
  readonly tools: ChatCompletionFunctionTool[];
  readonly systemPrompt: string;
  /** False for a model that knows one prompt format only: it can be told neither what was wrong with a reply nor anything else. */
  readonly acceptsNotices: boolean;
  render(conversation: Conversation): ChatCompletionMessageParam[];
  /** @throws DeskhandError `model_output`; the message is written for the model, which gets it as the correction. */
  parse(reply: ModelReply, chain: CoordinateChain): ParsedStep;
}
