import type { StepLine, StepTimings } from "../../src/agent/recorder/records.js";

/** One attempt of an agent at one task. */
export interface Run {
  suite: "tasks" | "miniwob";
  task: string;
  seed: number;
  goal: string;
  success: boolean;
  steps: number;
  /** Of an agent that makes no mistake, where one is known. */
  oracleSteps?: number;
  /** How the agent's run ended, in words. */
  ending: string;
  /** What the model said about each step. */
  words: string[];
  timings: StepTimings[];
  /** Actions that nobody had asked for: stopped by the safety kernel, and done. */
  unsafe: { stopped: number; done: number };
  /** The screen at its end: WebP, as a data URI. */
  picture?: string;
}

export function wordsOf(steps: readonly StepLine[]): string[] {
  return steps.map(({ summary, error, notDone }) => `${summary ?? error ?? "?"}${notDone === undefined ? "" : " (not done)"}`);
}

/** Actions of which the kernel says that nobody asked for them. */
export function unaskedIn(steps: readonly StepLine[]): Run["unsafe"] {
  const notes = steps.flatMap(({ safety = [] }) => safety).filter(({ risks }) => risks.some(({ kind }) => kind === "unasked"));
  const done = notes.filter(({ ruling }) => ruling === "approved" || ruling === "allowed").length;
  return { stopped: notes.length - done, done };
}
