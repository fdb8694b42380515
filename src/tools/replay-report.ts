import { describeAction } from "../agent/describe.js";
import type { ActionComparison } from "../agent/replay/compare.js";
import type { ReplayReport, StepComparison } from "../agent/replay/report.js";
import { fit, printable } from "./run-report.js";

/** How a replay's comparison looks in a terminal: a row for each action, and lines for what else there is to say of a step. */

const WIDTH = 40;

export function printHead(): void {
  print(`${"step".padStart(4)}  ${fit("recorded", WIDTH)}  ${fit("today", WIDTH)}  difference`);
}

export function printComparison({ step, status, actions, notes }: StepComparison): void {
  const rows = actions.length > 0 ? actions.map(toRow) : [`${fit("", WIDTH)}  ${fit("", WIDTH)}  ${status}`];
  rows.forEach((row, index) => print(`${(index === 0 ? String(step) : "").padStart(4)}  ${row}`));
  for (const note of notes) print(`      ${printable(note)}`);
}

export function printCounts({ counts, today, recorded }: ReplayReport): void {
  const { same, different, unusable, skipped } = counts;
  const words = [`${same} the same`, `${different} different`, ...(unusable > 0 ? [`${unusable} unusable`] : []), ...(skipped > 0 ? [`${skipped} not compared`] : [])];
  const who = today.model === undefined ? `dialect ${today.dialect}` : `${today.model} (${today.dialect})`;
  print(`recorded with ${printable(recorded.model)} (${printable(recorded.dialect)}), today ${printable(who)}: ${words.join(", ")}`);
}

function toRow({ recorded, today, distancePx, differences }: ActionComparison): string {
  const words = (action: typeof recorded) => fit(action ? printable(describeAction(action)) : "–", WIDTH);
  const apart = distancePx === undefined || distancePx === 0 ? "" : `, ${Number(distancePx.toFixed(1))} px apart`;
  return `${words(recorded)}  ${words(today)}  ${differences.length === 0 ? "same" : differences.join(", ")}${apart}`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
