import type { Action, Point, Region } from "../actions.js";
import type { CoordinateChain, ModelSpace, PointTrace, Size } from "../coordinates.js";
import type { ModelReply, Sampling } from "../model-client.js";
import type { LabelQuestion } from "./label-question.js";
import type { Prompt } from "./prompt.js";

/**
 * What size of picture a model wants: the screen's own, each side rounded to `multiple`, and both scaled together until at least
 * `minPixels` and at most `maxPixels` (and `maxSide`) remain.
 */
export interface PictureSize {
  multiple: number;
  minPixels: number;
  maxPixels: number;
  /** The longest side, where a model has such a limit. */
  maxSide?: number;
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
  /** Set when that screenshot showed only a part of the screen. */
  zoomed?: boolean;
  /** The part of the screen that the model wants to see next. */
  zoom?: Region;
  /** Where the pointer was on it, in the model's own coordinates. */
  cursor?: Point;
  /** What stood beside that screenshot. */
  notice?: Notice;
  /** Whether anything changed on the screen afterwards, a blinking caret apart. */
  hadEffect: boolean;
  /** Set when not all of it was done; the next notice says why. */
  refused?: boolean;
}

/** A function of the program, as the model is told of it. */
export interface FunctionOffer {
  name: string;
  description: string;
  /** JSON Schema. */
  parameters: { type: "object"; properties: Record<string, unknown>; required: string[]; additionalProperties: boolean };
}

/** Everything a prompt is made of. */
export interface Conversation {
  task: string;
  turns: readonly Turn[];
  /** Data URI of the current screenshot. */
  picture: string;
  /** Size of a screenshot of the whole screen, as it is sent. */
  screen: Size;
  /** Set when the current one shows only a part of the screen. */
  zoomed?: boolean;
  /** Where the pointer is on it, in the model's own coordinates. */
  cursor?: Point;
  /** What to tell beside it; only for a dialect that `acceptsNotices`. */
  notice?: Notice;
  /** What can be called beside the computer; only for a dialect with `ownFunctions`. */
  functions?: readonly FunctionOffer[];
  /** The reply to this very screenshot that could not be used, and why. */
  correction?: { reply: ModelReply; reason: string };
}

/** An action with the journey of each of its points, in the order the model gave them. */
export interface ParsedAction {
  action: Action;
  points: PointTrace[];
}

/** A warning of the model's provider about what it is asked to do. */
export interface SafetyCheck {
  id: string;
  code?: string | null | undefined;
  message?: string | null | undefined;
}

export interface ParsedStep {
  summary: string;
  /** At least one, in the order to be done. */
  actions: ParsedAction[];
  /** What the model's provider wants a person to know and agree to first. Nobody else may agree to it. */
  safetyChecks?: SafetyCheck[];
}

/** Finds what is described on the current screenshot. @throws DeskhandError `model_output` when it is not found. */
export type Locate = (words: string) => Promise<PointTrace>;

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
  /** The environment's variable with the key of the family's own servers, where it is another than OPENAI_API_KEY. */
  readonly keyVariable?: string;
  /** False for a model that knows one prompt format only: it can be told neither what was wrong with a reply nor anything else. */
  readonly acceptsNotices: boolean;
  /** The names of its own functions, for a family that can be given others beside them. */
  readonly ownFunctions?: readonly string[];
  /**
   * In which coordinates the model answers to a picture of a part of the screen: those of that picture, or still those of the whole
   * screen.
   */
  readonly zoomedSpace: "picture" | "screen";
  /** How it is asked what is written on a control; absent for a family that answers with actions alone. */
  readonly label?: LabelQuestion | undefined;
  render(conversation: Conversation): Prompt;
  /** @throws DeskhandError `model_output`; the message is written for the model, which gets it as the correction. */
  parse(reply: ModelReply, chain: CoordinateChain): ParsedStep;
  /** Instead of `parse`, for a model that gives places in words. @throws DeskhandError `model_output`. */
  ground?(reply: ModelReply, locate: Locate): Promise<ParsedStep>;
}
