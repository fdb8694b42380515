import type { Point } from "../actions.js";
import { shownRegion } from "../scene.js";
import { describeAction } from "../describe.js";
import { html, type Markup } from "./html.js";
import { drawActions } from "./overlay.js";
import { PAGE_STYLE } from "./page-style.js";
import type { ReplyRecord, RunLine, StepLine, StepTimings, Trajectory } from "./records.js";
import { noteWords, readingWords, replyWords, resultWords, titleOf } from "./words.js";

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
export function renderPage(trajectory: Trajectory, pictures: ReadonlyMap<string, Uint8Array>): string {
  const { run, steps } = trajectory;
  const longestMs = Math.max(1, ...steps.map((step) => step.timings.totalMs));
  const sections = steps.map((step) => renderStep(step, pictures));
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
${renderOutcome(trajectory)}
<dl class="facts">${renderFacts(trajectory)}</dl>
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

function renderOutcome({ result }: Trajectory): Markup {
  if (!result) return html`<p class="outcome"><span class="badge bad">Broken off</span> The process ended before the run did.</p>`;
  const { success, reason, answer } = result;
  return html`<p class="outcome"><span class="badge ${success ? "good" : "bad"}">${success ? "Success" : "Not done"}</span> ${reason}</p>
${answer === undefined ? undefined : html`<blockquote>${answer}</blockquote>`}`;
}

function renderFacts({ run, steps, result }: Trajectory): Markup[] {
  const { maxSteps, maxSeconds } = run.limits;
  const facts: [string, string][] = [
    [run.grounder ? "Planner" : "Model", run.model],
    ...(run.grounder ? [["Grounder", run.grounder.model] satisfies [string, string]] : []),
    ["Dialect", [run.dialect, ...(run.grounder ? [run.grounder.dialect] : [])].join(" and ")],
    ["Display", run.display],
    ["Steps", `${steps.length} of at most ${maxSteps}${run.safety.dryRun ? ", a dry run" : ""}`],
    ...(result ? [["Time", maxSeconds === undefined ? seconds(result.durationMs) : `${seconds(result.durationMs)} of at most ${maxSeconds} s`] satisfies [string, string]] : []),
    ["Server", serversOf(run).join(" and ")],
  ];
  return facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`);
}

function serversOf({ baseURL, grounder }: RunLine): string[] {
  return [...new Set([baseURL, ...(grounder ? [grounder.baseURL] : [])])];
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

function renderStep(step: StepLine, pictures: ReadonlyMap<string, Uint8Array>): Markup {
  return html`
<section id="step-${step.step}" class="${step.error === undefined ? "" : "failed"}">
<div class="screen">${renderScreen(step, pictures)}</div>
<div class="notes">
<h2><span class="number">${step.step}</span>${titleOf(step)}</h2>
${step.error === undefined ? undefined : html`<p class="error">${step.error}</p>`}
${renderNotice(step, pictures)}
${renderActions(step)}
${renderSafety(step)}
<table class="timings"><tbody><tr>${PHASES.map(({ name }) => html`<th scope="col"><span class="key ${name}">${name}</span></th>`)}<th scope="col">total</th></tr>
<tr>${PHASES.map(({ of }) => html`<td>${milliseconds(of(step.timings))}</td>`)}<td>${milliseconds(step.timings.totalMs)}</td></tr></tbody></table>
${step.replies.map((reply, index) => renderReply(reply, index === step.replies.length - 1))}
${renderChain(step)}
</div>
</section>`;
}

/** What the agent itself told the model. */
function renderNotice({ notice, noticePicture }: StepLine, pictures: ReadonlyMap<string, Uint8Array>): Markup | undefined {
  if (notice === undefined) return undefined;
  const picture = noticePicture === undefined ? undefined : pictures.get(noticePicture);
  return html`<div class="notice"><span class="muted">Told with the screen</span> ${notice}${picture && html`<img alt="The place enlarged" src="${pngUri(picture)}">`}</div>`;
}

/** What the safety kernel and people made of it, and what came of that. */
function renderSafety({ readings = [], safety = [], results = [], notDone, hadEffect }: StepLine): Markup | undefined {
  const lines = [...readings.map(readingWords), ...safety.map(noteWords), ...results.map(resultWords), ...(notDone === undefined ? [] : [`not done: ${notDone}`]), ...(hadEffect === false ? ["nothing changed on the screen"] : [])];
  return lines.length === 0 ? undefined : html`<ul class="actions">${lines.map((line) => html`<li>${line}</li>`)}</ul>`;
}

/** What was done, unless the title says just that. */
function renderActions(step: StepLine): Markup | undefined {
  const words = step.actions.map(({ action }) => describeAction(action));
  if (words.length === 0 || words.join() === step.summary) return undefined;
  return html`<ul class="actions">${words.map((line) => html`<li>${line}</li>`)}</ul>`;
}

function renderScreen({ step, scene, picture: file, actions }: StepLine, pictures: ReadonlyMap<string, Uint8Array>): Markup {
  const picture = file === undefined ? undefined : pictures.get(file);
  if (!scene || !picture) return html`<p class="missing">No screenshot was taken.</p>`;
  const { width, height } = shownRegion(scene);
  return html`<figure style="aspect-ratio:${width}/${height}"><img alt="The screen before step ${step}" src="${pngUri(picture)}">${drawActions(actions, scene)}</figure>`;
}

function pngUri(png: Uint8Array): string {
  return `data:image/png;base64,${Buffer.from(png).toString("base64")}`;
}

function renderReply(reply: ReplyRecord, isLast: boolean): Markup {
  const { usage } = reply;
  const cached = usage?.cachedTokens ? `, ${usage.cachedTokens} from cache` : "";
  const tokens = usage ? html`<span class="muted">${usage.promptTokens} tokens in${cached}, ${usage.completionTokens} out</span>` : undefined;
  return html`<details class="reply"${isLast ? html` open` : undefined}><summary>${nameOf(reply)} ${tokens}</summary>
<pre>${replyWords(reply) || "(nothing)"}</pre>
${reply.error === undefined ? undefined : html`<p class="error">${reply.error}</p>`}</details>`;
}

function nameOf({ target, error }: ReplyRecord): string {
  if (target !== undefined) return `Grounder's reply for “${target}”`;
  return error === undefined ? "Model's reply" : "Reply that was not used";
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
