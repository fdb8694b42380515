import type { ParsedAction } from "./dialects/dialect.js";
import type { ReplyRecord, ResultLine, RunLine, StepLine } from "./recorder/records.js";
import type { Scene } from "./scene.js";

/**
 * What a run tells while it goes on. Secrets are placeholders in all of it, also in words that come in pieces, and all of it can be
 * written as JSON. What is drawn and recorded is the same as in the trajectory.
 */
export type RunEvent =
  /** Everything is ready and the folder exists. */
  | { type: "run_began"; run: RunLine; trajectoryDir: string }
  | { type: "step_began"; step: number }
  /** `picture` is a file in the run's folder. */
  | { type: "screen"; step: number; picture: string; scene: Scene }
  /** With a target: a grounder is asked to find that. */
  | { type: "reply_began"; step: number; target?: string }
  /** The model's words and its thinking as they come. */
  | { type: "words"; step: number; text: string }
  | { type: "thinking"; step: number; text: string }
  /** `tokens` counts those of the whole run so far. */
  | { type: "reply_ended"; step: number; reply: ReplyRecord; tokens: number }
  /** The last reply cannot be used. */
  | { type: "reply_refused"; step: number; reason: string }
  /** What will be done now, as far as the safety kernel lets it through. */
  | { type: "planned"; step: number; summary: string; actions: ParsedAction[] }
  | { type: "step_ended"; line: StepLine }
  | { type: "run_ended"; result: ResultLine };

/** Whoever follows a run. What it throws is logged and changes nothing. */
export type RunListener = (event: RunEvent) => void;
