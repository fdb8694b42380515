import type { ResponseOutputItem } from "openai/resources/responses/responses";
import { z } from "zod";
import { Action, Region } from "../actions.js";
import { STOP_KINDS } from "../stop.js";

/**
 * The lines of `trajectory.jsonl`: one `run`, any number of `step`, one `result` (absent when the process was killed). They hold
 * everything that the model was sent but the dialect's own words, so that a run can be put to another model later.
 */

/** Of the format below; a reader takes no other. */
export const TRAJECTORY_VERSION = 2;

const Point = z.object({ x: z.number(), y: z.number() });
const Size = z.object({ width: z.number().positive(), height: z.number().positive() });
const DisplayPlace = z.object({ x: z.number(), y: z.number(), width: z.number().positive(), height: z.number().positive(), scale: z.number().positive() });
const CoordinateChain = z.object({
  space: z.discriminatedUnion("kind", [z.object({ kind: z.literal("relative"), max: z.number().positive() }), z.object({ kind: z.literal("pixels") })]),
  sent: Size,
  captured: Size,
  display: DisplayPlace,
});
const ParsedAction = z.object({ action: Action, points: z.array(z.object({ model: Point, sent: Point, captured: Point, logical: Point, os: Point })) });

/** A folder that somebody else made must not name files elsewhere. */
const PictureFile = z.string().regex(/^[\w-]+\.png$/, { error: "expected the name of a PNG file in the same folder" });

const FunctionOffer = z.object({
  name: z.string(),
  description: z.string(),
  parameters: z.object({ type: z.literal("object"), properties: z.record(z.string(), z.unknown()), required: z.array(z.string()), additionalProperties: z.boolean() }),
});

const Model = z.object({ model: z.string(), baseURL: z.string(), dialect: z.string() });

export const RunLine = z.object({
  type: z.literal("run"),
  version: z.literal(TRAJECTORY_VERSION),
  startedAt: z.string(),
  task: z.string(),
  ...Model.shape,
  /** The model that finds places, where another one plans. */
  grounder: Model.optional(),
  display: z.string(),
  /** Those of the program that the model may call, as it is told of them. */
  functions: z.array(FunctionOffer).optional(),
  limits: z.object({ maxSteps: z.number(), maxSeconds: z.number().optional(), maxTokens: z.number().optional() }),
  /** `capabilities` is the file's name, or how else they were given. */
  safety: z.object({ confirm: z.enum(["never", "risky", "always"]), capabilities: z.string().optional(), dryRun: z.boolean() }),
  versions: z.object({ deskhand: z.string(), node: z.string(), platform: z.string() }),
});
export type RunLine = z.infer<typeof RunLine>;

const Usage = z.object({ promptTokens: z.number(), completionTokens: z.number(), cachedTokens: z.number().optional() });

/** A reply as it came; partial when there is no finish reason. */
export const ReplyRecord = z.object({
  /** What a grounder was asked to find; absent in replies of the model itself. */
  target: z.string().optional(),
  text: z.string(),
  toolCalls: z.array(z.object({ id: z.string(), name: z.string(), arguments: z.string() })),
  /** The reply in the server's own form, where that is sent back unchanged. */
  items: z.array(z.custom<ResponseOutputItem>((item) => typeof item === "object" && item !== null)).optional(),
  finishReason: z.string().optional(),
  usage: Usage.optional(),
  serverTimings: z.object({ process_ms: z.number(), prefill_ms: z.number(), decode_ms: z.number() }).optional(),
  /** Why it could not be used. */
  error: z.string().optional(),
});
export type ReplyRecord = z.infer<typeof ReplyRecord>;

/** What a model read on a control before it was pressed. */
export const LabelReading = z.object({
  at: Point,
  text: z.string(),
  /** Why it could not be read. */
  failed: z.string().optional(),
  /** What it cost; absent where the same was read before. */
  usage: Usage.optional(),
  ms: z.number(),
});
export type LabelReading = z.infer<typeof LabelReading>;

/** Milliseconds of each phase; a phase that was not reached is 0. */
const StepTimings = z.object({
  captureMs: z.number(),
  encodeMs: z.number(),
  /** Request to end of the reply, as the agent saw it; prefill and decode are parts of it. */
  modelMs: z.number(),
  /** Up to the first token: from the server where it says so, else as the agent saw it. */
  prefillMs: z.number(),
  decodeMs: z.number(),
  actMs: z.number(),
  settleMs: z.number(),
  totalMs: z.number(),
});
export type StepTimings = z.infer<typeof StepTimings>;

const SafetyNote = z.object({
  action: z.string(),
  risks: z.array(z.object({ kind: z.string(), why: z.string() })).readonly(),
  ruling: z.enum(["approved", "allowed", "refused", "outdated", "would_ask"]),
  reason: z.string().optional(),
});

export type SafetyNote = z.infer<typeof SafetyNote>;

export const StepLine = z.object({
  type: z.literal("step"),
  /** From 1. */
  step: z.number().int().min(1),
  startedAt: z.string(),
  /** What the picture was made of. */
  scene: z.object({ captured: Size, display: DisplayPlace, pointer: Point, region: Region.optional() }).optional(),
  /** File name of the picture the model saw, in the same folder. */
  picture: PictureFile.optional(),
  /** Whether something on the pictures is covered here that the model saw. */
  covered: z.boolean().optional(),
  chain: CoordinateChain.optional(),
  /** What the model was told beside the picture. */
  notice: z.string().optional(),
  /** File name of the second picture it was shown with that. */
  noticePicture: PictureFile.optional(),
  /** Two when the first could not be used, and one more for each place that a grounder was asked to find. */
  replies: z.array(ReplyRecord),
  /** What was done, in the model's own words where it gave any. */
  summary: z.string().optional(),
  actions: z.array(ParsedAction),
  /** How many of them were done. */
  done: z.number().optional(),
  /** What functions of the program returned. */
  results: z.array(z.object({ name: z.string(), text: z.string(), failed: z.literal(true).optional() })).optional(),
  /** What was read on what they were about to press, in the time of acting. */
  readings: z.array(LabelReading).optional(),
  /** What the safety kernel noted about them. */
  safety: z.array(SafetyNote).optional(),
  /** Why the rest of them was not done. */
  notDone: z.string().optional(),
  /** Set when that is because the screen had changed at its target, or another window had the keyboard. */
  stale: z.literal(true).optional(),
  /**
   * Whether anything changed on the screen afterwards, a blinking caret apart. Absent in a last step, and in one that left no trace in
   * the conversation, because the screen was gone before anything was done.
   */
  hadEffect: z.boolean().optional(),
  timings: StepTimings,
  /** Why the step was not finished. */
  error: z.string().optional(),
});
export type StepLine = z.infer<typeof StepLine>;

export const ResultLine = z.object({
  type: z.literal("result"),
  endedAt: z.string(),
  steps: z.number(),
  /** How many of them did nothing because the screen had changed at their target; absent for none. */
  staleSteps: z.number().optional(),
  durationMs: z.number(),
  success: z.boolean(),
  stop: z.enum(STOP_KINDS),
  reason: z.string(),
  answer: z.string().optional(),
});
export type ResultLine = z.infer<typeof ResultLine>;

export type TrajectoryLine = RunLine | StepLine | ResultLine;

/** A whole run; without a result when its process was killed. */
export interface Trajectory {
  run: RunLine;
  steps: readonly StepLine[];
  result?: ResultLine;
}
