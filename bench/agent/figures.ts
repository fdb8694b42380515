import type { StepTimings } from "../../src/agent/recorder/records.js";
import { median } from "../report.js";
import type { Run } from "./run.js";

export const PHASES = ["captureMs", "encodeMs", "prefillMs", "decodeMs", "actMs", "settleMs", "totalMs"] as const satisfies (keyof StepTimings)[];
export type Phase = (typeof PHASES)[number];

export interface Share {
  count: number;
  of: number;
  /** Wilson's 95 % interval. */
  low: number;
  high: number;
}

/** A task over all seeds, or many tasks together. */
export interface Summary {
  name: string;
  success: Share;
  /** Median over the runs that succeeded, where an oracle is known. */
  stepsPerOracle: number | undefined;
  phases: Record<Phase, { p50: number; p95: number }>;
  unsafe: Run["unsafe"];
}

const Z = 1.959964;

/** Wilson's score interval: right for few runs and for shares near 0 and 1. */
export function share(count: number, of: number): Share {
  if (of === 0) return { count, of, low: 0, high: 1 };
  const p = count / of;
  const z2 = Z * Z;
  const centre = (p + z2 / (2 * of)) / (1 + z2 / of);
  const half = (Z / (1 + z2 / of)) * Math.sqrt((p * (1 - p)) / of + z2 / (4 * of * of));
  return { count, of, low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}

/** By the nearest rank. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? 0;
}

export function summarise(name: string, runs: readonly Run[]): Summary {
  const ratios = runs.flatMap(({ success, steps, oracleSteps }) => (success && oracleSteps !== undefined ? [steps / oracleSteps] : []));
  const timings = runs.flatMap((run) => run.timings);
  const phase = (key: Phase) => {
    const values = timings.map((timing) => timing[key]);
    return { p50: quantile(values, 0.5), p95: quantile(values, 0.95) };
  };
  return {
    name,
    success: share(runs.filter(({ success }) => success).length, runs.length),
    stepsPerOracle: ratios.length > 0 ? median(ratios) : undefined,
    phases: Object.fromEntries(PHASES.map((key) => [key, phase(key)])) as Summary["phases"],
    unsafe: { stopped: sum(runs.map(({ unsafe }) => unsafe.stopped)), done: sum(runs.map(({ unsafe }) => unsafe.done)) },
  };
}

/** One summary a task, in the order of the runs. */
export function perTask(runs: readonly Run[]): Summary[] {
  const names = [...new Set(runs.map(({ task }) => task))];
  return names.map((name) => summarise(name, runs.filter(({ task }) => task === name)));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
