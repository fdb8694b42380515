import type { CoordinateChain } from "../coordinates.js";
import type { FunctionResult } from "../custom-tools.js";
import type { ParsedAction } from "../dialects/dialect.js";
import type { ReplyToolCall, ReplyUsage, ServerTimings } from "../model-client.js";
import type { Confirm, SafetyNote } from "../safety/safety-kernel.js";
import type { Ending } from "../stop.js";

/** The lines of `trajectory.jsonl`: one `run`, any number of `step`, one `result` (absent when the process was killed). */
export type TrajectoryLine = RunLine | StepLine | ResultLine;

export interface RunLine {
  type: "run";
  /** Of this format. */
  version: 1;
  startedAt: string;
  task: string;
  model: string;
  baseURL: string;
  dialect: string;
  /** The model that finds places, where another one plans. */
  grounder?: { model: string; baseURL: string; dialect: string } | undefined;
  display: string;
  limits: { maxSteps: number; maxSeconds?: number; maxTokens?: number };
  /** `capabilities` is the file's name, or how else they were given. */
  safety: { confirm: Confirm; capabilities?: string; dryRun: boolean };
  versions: { deskhand: string; node: string; platform: string };
}

export interface StepLine {
  type: "step";
  /** From 1. */
  step: number;
  startedAt: string;
  /** File name of the picture the model saw, in the same folder. */
  picture?: string;
  chain?: CoordinateChain;
  /** What the model was told beside the picture. */
  notice?: string;
  /** Two when the first could not be used, and one more for each place that a grounder was asked to find. */
  replies: ReplyRecord[];
  /** What was done, in the model's own words where it gave any. */
  summary?: string;
  actions: ParsedAction[];
  /** How many of them were done. */
  done?: number;
  /** What functions of the program returned. */
  results?: FunctionResult[];
  /** What the safety kernel noted about them. */
  safety?: SafetyNote[];
  /** Why the rest of them was not done. */
  notDone?: string;
  /** Whether anything changed on the screen afterwards, a blinking caret apart; absent in a last step. */
  hadEffect?: boolean;
  timings: StepTimings;
  /** Why the step was not finished. */
  error?: string;
}

/** A reply as it came; partial when there is an error and no finish reason. */
export interface ReplyRecord {
  /** What a grounder was asked to find; absent in replies of the model itself. */
  target?: string;
  text: string;
  toolCalls: ReplyToolCall[];
  finishReason?: string;
  usage?: ReplyUsage;
  serverTimings?: ServerTimings;
  error?: string;
}

/** Milliseconds of each phase; a phase that was not reached is 0. */
export interface StepTimings {
  captureMs: number;
  encodeMs: number;
  /** Request to end of the reply, as the agent saw it; prefill and decode are parts of it. */
  modelMs: number;
  /** Up to the first token: from the server where it says so, else as the agent saw it. */
  prefillMs: number;
  decodeMs: number;
  actMs: number;
  settleMs: number;
  totalMs: number;
}

export interface ResultLine extends Ending {
  type: "result";
  endedAt: string;
  steps: number;
  durationMs: number;
}
