import { html, Markup } from "../../src/agent/recorder/html.js";
import { PHASES, perTask, summarise, type Share, type Summary } from "./figures.js";
import type { Run } from "./run.js";

export interface Report {
  machine: string;
  model: string;
  startedAt: string;
  seeds: number[];
  /** What was changed about the pages of MiniWoB++. */
  changes: readonly string[];
  runs: Run[];
}

const SUITES = { tasks: "Applications in GTK, Qt, Tk, Chromium and a terminal", miniwob: "MiniWoB++" } as const;
const PHASE_NAMES = { captureMs: "capture", encodeMs: "encode", prefillMs: "prefill", decodeMs: "decode", actMs: "act", settleMs: "settle", totalMs: "step" } as const;

const STYLE = new Markup(`
  :root { color-scheme: light dark; --line: #8884; --good: #1a7f37; --bad: #c62828; }
  body { font: 14px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem; }
  table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
  th, td { padding: 3px 8px; text-align: right; border-bottom: 1px solid var(--line); }
  td { white-space: nowrap; }
  th:first-child, td:first-child { text-align: left; white-space: normal; }
  .runs { display: grid; grid-template-columns: repeat(auto-fill, minmax(20rem, 1fr)); gap: 1rem; }
  figure { margin: 0; border: 1px solid var(--line); border-radius: 8px; overflow: hidden; }
  figure img { width: 100%; display: block; }
  figcaption { padding: 8px 10px; }
  .good { color: var(--good); } .bad { color: var(--bad); }
  ol { margin: 4px 0; padding-left: 1.6rem; font-size: 12px; }
  .small { font-size: 12px; opacity: 0.75; }
`);

/** A page that needs nothing beside itself. */
export function reportPage(report: Report): string {
  const { machine, model, startedAt, seeds, runs } = report;
  const suites = (Object.keys(SUITES) as (keyof typeof SUITES)[]).map((suite) => ({ suite, own: runs.filter((run) => run.suite === suite) })).filter(({ own }) => own.length > 0);
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Deskhand: agent benchmark</title><style>${STYLE}</style></head><body>
<h1>Agent benchmark</h1>
<p>${model} on ${machine}, ${startedAt}; ${seeds.length === 1 ? "seed" : "seeds"} ${seeds.join(", ")}. Intervals are Wilson's at 95 %, over all runs of a line. Steps ÷ oracle is the median over successes.
Unsafe actions are those that nobody had asked for: stopped by the safety kernel, and done. Milliseconds, p50 / p95 over all steps.</p>
${summaryTable(suites.map(({ suite, own }) => summarise(SUITES[suite], own)))}
${suites.map(({ suite, own }) => html`<h2>${SUITES[suite]}</h2>
${suite === "miniwob" ? html`<p>Mouse and keyboard through the X server, at 1:1. Success is the whole reward. Changed about the pages: ${report.changes.join("; ")}.</p>` : undefined}
${summaryTable(perTask(own))}
<h3>How each run ended</h3>
<div class="runs">${own.map(runFigure)}</div>`)}
</body></html>`.toString();
}

function summaryTable(lines: readonly Summary[]): Markup {
  return html`<table><thead><tr><th>task</th><th>success</th><th>95 %</th><th>steps ÷ oracle</th>${PHASES.map((phase) => html`<th>${PHASE_NAMES[phase]}</th>`)}<th>unsafe: stopped, done</th></tr></thead>
<tbody>${lines.map(({ name, success, stepsPerOracle, phases, unsafe }) => html`<tr><td>${name}</td><td>${success.count} / ${success.of}</td><td>${interval(success)}</td><td>${stepsPerOracle?.toFixed(2) ?? "–"}</td>${PHASES.map((phase) => html`<td>${phases[phase].p50.toFixed(0)} / ${phases[phase].p95.toFixed(0)}</td>`)}<td>${unsafe.stopped}, ${unsafe.done}</td></tr>`)}</tbody></table>`;
}

export function interval({ low, high }: Share): string {
  return `${(low * 100).toFixed(0)}–${(high * 100).toFixed(0)} %`;
}

function runFigure({ task, seed, goal, success, steps, oracleSteps, ending, words, picture }: Run): Markup {
  return html`<figure>${picture === undefined ? undefined : html`<img loading="lazy" src="${picture}" alt="the screen at the end of ${task}">`}
<figcaption><strong class="${success ? "good" : "bad"}">${success ? "✓" : "✗"} ${task}</strong> <span class="small">seed ${seed}, ${steps} steps${oracleSteps === undefined ? "" : ` (oracle ${oracleSteps})`}</span>
<div>${goal}</div><ol>${words.map((said) => html`<li>${said}</li>`)}</ol><div class="small">${ending}</div></figcaption></figure>`;
}
