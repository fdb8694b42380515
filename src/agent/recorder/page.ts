import type { Point } from "../actions.js";
import { describeAction } from "../describe.js";
import { html, type Markup } from "./html.js";
import { cursorAfter, drawActions } from "./overlay.js";
import { PAGE_STYLE } from "./page-style.js";
import type { ReplyRecord, ResultLine, RunLine, StepLine, StepTimings } from "./records.js";
import { replyWords, titleOf } from "./words.js";

export interface Trajectory {
  run: RunLine;
  steps: readonly StepLine[];
  result: ResultLine;
}

/** The phases that add up to a step, in order, with the names people see. */
const PHASES: readonly { name: string; of: (timings: StepTimings) => number }[] = [
  { name: "capture", of: (t) => t.captureMs },
  { name: "encode", of: (t) => t.encodeMs },
  { name: "prefill", of: (t) => t.prefillMs },
  { name: "decode", of: (t) => t.decodeMs },
  { name: "act", of: (t) => t.actMs },
  { name: "settle", of: (t) => t.settleMs },
];

/**
 * A run as one page that needs nothing else: pictures inside, no script, no network (its own policy forbids both).
 * What the screen and the model said is untrusted and escaped throughout.
 * @param pictures PNGs by the file names in the steps
 */
export function renderPage({ run, steps, result }: Trajectory, pictures: ReadonlyMap<string, Uint8Array>): string {
  const longestMs = Math.max(1, ...steps.map((step) => step.timings.totalMs));
  let cursor: Point | undefined;
  const sections = steps.map((step) => {
    const section = renderStep(step, cursor, step.picture === undefined ? undefined : pictures.get(step.picture));
    cursor = cursorAfter(step, cursor);
    return section;
  });
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${run.task} · Deskhand</title>
${PAGE_STYLE}
</head>
<body>
<header>
<p class="eyebrow">Deskhand run · <time datetime="${run.startedAt}">${run.startedAt.slice(0, 19).replace("T", " ")} UTC</time></p>
<h1>${run.task}</h1>
<p class="outcome"><span class="badge ${result.success ? "good" : "bad"}">${result.success ? "Success" : "Not done"}</span> ${result.reason}</p>
${result.answer === undefined ? undefined : html`<blockquote>${result.answer}</blockquote>`}
<dl class="facts">${renderFacts(run, result)}</dl>
</header>
<nav aria-label="Steps">
<ol class="timeline">${steps.map((step) => renderTimelineRow(step, longestMs))}</ol>
<p class="legend">${PHASES.map(({ name }) => html`<span class="key ${name}">${name}</span>`)}</p>
</nav>
<main>${sections}</main>
<footer>Made by Deskhand ${run.versions.deskhand} with Node ${run.versions.node} on ${run.versions.platform}. Everything on this page is also in <code>trajectory.jsonl</code>.</footer>
</body>
</html>
`;
  return page.toString();
}

function renderFacts(run: RunLine, result: ResultLine): Markup[] {
  const facts: [string, string][] = [
    ["Model", run.model],
    ["Dialect", run.dialect],
    ["Display", run.display],
    ["Steps", `${result.steps} of at most ${run.limits.maxSteps}`],
    ["Time", run.limits.maxSeconds === undefined ? seconds(result.durationMs) : `${seconds(result.durationMs)} of at most ${run.limits.maxSeconds} s`],
    ["Server", run.baseURL],
  ];
  return facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`);
}

function renderTimelineRow(step: StepLine, longestMs: number): Markup {
  return html`<li><a href="#step-${step.step}"><span class="number">${step.step}</span><span class="words">${titleOf(step)}</span><span class="track">${renderBar(step, longestMs)}</span><span class="time">${seconds(step.timings.totalMs)}</span></a></li>`;
}

function renderBar(step: StepLine, longestMs: number): Markup[] {
  return PHASES.map(({ name, of }) => {
    const ms = of(step.timings);
    return html`<i class="${name}" style="width:${((ms / longestMs) * 100).toFixed(2)}%" title="${name} ${milliseconds(ms)}"></i>`;
  });
}

function renderStep(step: StepLine, cursor: Point | undefined, picture: Uint8Array | undefined): Markup {
  return html`
<section id="step-${step.step}" class="${step.error === undefined ? "" : "failed"}">
<div class="screen">${renderScreen(step, cursor, picture)}</div>
<div class="notes">
<h2><span class="number">${step.step}</span>${titleOf(step)}</h2>
${step.error === undefined ? undefined : html`<p class="error">${step.error}</p>`}
${renderActions(step)}
<table class="timings"><tbody><tr>${PHASES.map(({ name }) => html`<th scope="col"><span class="key ${name}">${name}</span></th>`)}<th scope="col">total</th></tr>
<tr>${PHASES.map(({ of }) => html`<td>${milliseconds(of(step.timings))}</td>`)}<td>${milliseconds(step.timings.totalMs)}</td></tr></tbody></table>
${step.replies.map((reply, index) => renderReply(reply, index === step.replies.length - 1))}
${renderChain(step)}
</div>
</section>`;
}

/** What was done, unless the title says just that. */
function renderActions(step: StepLine): Markup | undefined {
  const words = step.actions.map(({ action }) => describeAction(action));
  if (words.length === 0 || words.join() === step.summary) return undefined;
  return html`<ul class="actions">${words.map((line) => html`<li>${line}</li>`)}</ul>`;
}

function renderScreen(step: StepLine, cursor: Point | undefined, picture: Uint8Array | undefined): Markup {
  if (!step.chain || !picture) return html`<p class="missing">No screenshot was taken.</p>`;
  const { width, height } = step.chain.display;
  const base64 = Buffer.from(picture).toString("base64");
  return html`<figure style="aspect-ratio:${width}/${height}"><img alt="The screen before step ${step.step}" src="data:image/png;base64,${base64}">${drawActions(step, step.chain, cursor)}</figure>`;
}

function renderReply(reply: ReplyRecord, isLast: boolean): Markup {
  const { usage } = reply;
  const cached = usage?.cachedTokens ? `, ${usage.cachedTokens} from cache` : "";
  const tokens = usage ? html`<span class="muted">${usage.promptTokens} tokens in${cached}, ${usage.completionTokens} out</span>` : undefined;
  return html`<details class="reply"${isLast ? html` open` : undefined}><summary>${reply.error === undefined ? "Model's reply" : "Reply that was not used"} ${tokens}</summary>
<pre>${replyWords(reply) || "(nothing)"}</pre>
${reply.error === undefined ? undefined : html`<p class="error">${reply.error}</p>`}</details>`;
}

function renderChain(step: StepLine): Markup | undefined {
  const points = step.actions.flatMap((action) => action.points);
  if (!step.chain || points.length === 0) return undefined;
  const { space, sent, captured, display } = step.chain;
  const columns: [string, string, (point: (typeof points)[number]) => Point][] = [
    ["model", space.kind === "relative" ? `0–${space.max}` : "pixels", (point) => point.model],
    ["sent", `${sent.width} × ${sent.height}`, (point) => point.sent],
    ["captured", `${captured.width} × ${captured.height}`, (point) => point.captured],
    ["display", `${display.width} × ${display.height}`, (point) => point.logical],
    ["desktop", `at ${display.x}, ${display.y}`, (point) => point.os],
  ];
  const show = ({ x, y }: Point) => `${Number(x.toFixed(1))}, ${Number(y.toFixed(1))}`;
  return html`<details class="chain"><summary>Coordinates</summary><table><thead><tr>${columns.map(([name, size]) => html`<th scope="col">${name}<span class="muted">${size}</span></th>`)}</tr></thead>
<tbody>${points.map((point) => html`<tr>${columns.map(([, , at]) => html`<td>${show(at(point))}</td>`)}</tr>`)}</tbody></table></details>`;
}

function seconds(ms: number): string {
  return ms < 1000 ? milliseconds(ms) : `${(ms / 1000).toFixed(1)} s`;
}

function milliseconds(ms: number): string {
  return `${ms < 10 ? Number(ms.toFixed(1)) : Math.round(ms)} ms`;
}
