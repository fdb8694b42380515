import type { StoredTrajectory } from "./read-trajectory.js";
import type { ActionComparison } from "./compare.js";

/**
 * What came of one step. `unusable`: there was an answer then, and today's cannot be used. `skipped`: there is nothing to compare.
 */
export type StepStatus = "same" | "different" | "unusable" | "skipped";

export interface StepComparison {
  step: number;
  status: StepStatus;
  actions: ActionComparison[];
  /** Differences that are not those of an action, or why there is nothing to compare. */
  notes: string[];
}

export interface ReplayReport<Step extends StepComparison = StepComparison> {
  /** Of this report's format. */
  version: 1;
  replay: "parse" | "model";
  trajectory: string;
  task: string;
  recorded: { startedAt: string; model: string; dialect: string; deskhand: string };
  today: { model?: string; dialect: string; deskhand: string };
  tolerancePx: number;
  counts: Record<StepStatus, number>;
  steps: Step[];
}

export function reportOf<Step extends StepComparison>({ dir, run }: StoredTrajectory, steps: Step[], how: Pick<ReplayReport, "replay" | "today" | "tolerancePx">): ReplayReport<Step> {
  const counts = { same: 0, different: 0, unusable: 0, skipped: 0 };
  for (const { status } of steps) counts[status] += 1;
  const { replay, today, tolerancePx } = how;
  const recorded = { startedAt: run.startedAt, model: run.model, dialect: run.dialect, deskhand: run.versions.deskhand };
  return { version: 1, replay, trajectory: dir, task: run.task, recorded, today, tolerancePx, counts, steps };
}

/** Whether everything that could be compared is the same. */
export function isSame({ counts }: Pick<ReplayReport, "counts">): boolean {
  return counts.different === 0 && counts.unusable === 0;
}
