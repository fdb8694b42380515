import type { AgentResult } from "../agent/agent.js";
import type { RunLine, StepLine } from "../agent/recorder/records.js";
import { noteWords } from "../agent/recorder/words.js";
import type { RunEvent } from "../agent/run-events.js";
import type { Progress } from "../core/progress.js";

/** How an agent's run looks in a terminal: what happens goes to stderr, the result to stdout. */

const SUMMARY_WIDTH = 44;
const QUIET_MS = 2_000;

/** For an agent's `onEvent`. */
export function printRunEvent(event: RunEvent): void {
  if (event.type === "run_began") printStart(event.run);
  if (event.type === "step_ended") printStep(event.line);
}

function printStart(run: RunLine): void {
  say(`model: ${printable(run.model)}, display: ${run.display}`);
  say(`task: ${printable(run.task)}`);
}

function printStep({ step, summary, error, safety = [], notDone, timings }: StepLine): void {
  const words = printable(summary ?? "(not finished)");
  const look = timings.captureMs + timings.encodeMs;
  const phases = `look ${ms(look)}, prefill ${ms(timings.prefillMs)}, decode ${ms(timings.decodeMs)}, act ${ms(timings.actMs)}, settle ${ms(timings.settleMs)}`;
  say(`${String(step).padStart(3)}  ${fit(words, SUMMARY_WIDTH)} ${seconds(timings.totalMs).padStart(8)}   ${phases}`);
  for (const note of safety) say(`     ${printable(noteWords(note))}`);
  if (notDone !== undefined) say(`     not done: ${printable(notDone)}`);
  if (error !== undefined) say(`     ${printable(error)}`);
}

export function printResult(result: AgentResult): void {
  if (result.answer !== undefined) process.stdout.write(`answer: ${printable(result.answer)}\n`);
  process.stdout.write(`${result.success ? "success" : "not done"}: ${printable(result.reason)} (${result.steps} steps, ${seconds(result.durationMs)})\n`);
  process.stdout.write(`trajectory: ${result.trajectoryDir}\n`);
}

/** Prints a long job's progress, a line for each new phase and tenth part; one that is over in no time says nothing. */
export function progressPrinter(): (progress: Progress) => void {
  const quietUntil = performance.now() + QUIET_MS;
  let last = "";
  return ({ phase, done, total }) => {
    if (performance.now() < quietUntil) return;
    const tenth = total ? ` ${Math.floor((done / total) * 10) * 10} %` : "";
    const line = `${printable(phase)}${tenth}`;
    if (line === last) return;
    last = line;
    say(line);
  };
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Models and screens may say anything; a terminal must not obey it. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, (char) => (char === "\n" || char === "\t" ? " " : "�"));
}

/** Cut or filled up to a width. */
export function fit(text: string, width: number): string {
  const chars = [...text];
  return chars.length <= width ? text.padEnd(width) : `${chars.slice(0, width - 1).join("")}…`;
}

function seconds(value: number): string {
  return `${(value / 1000).toFixed(2)} s`;
}

function ms(value: number): string {
  return `${Math.round(value)} ms`;
}
