import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Agent, type AgentOptions, type Approver } from "../../src/index.js";
import type { StepLine } from "../../src/agent/recorder/records.js";
import type { AppWindow } from "../../test/tasks/app-window.js";
import type { Stage } from "../../test/tasks/stage.js";
import { miniwobPages } from "./miniwob-package.js";
import { pictureOf } from "./picture.js";
import { unaskedIn, wordsOf, type Run } from "./run.js";

/** Tasks within reach of a model that knows windows and forms, and the steps they take where that does not depend on the problem. */
const WITHIN_REACH: Readonly<Record<string, number | undefined>> = {
  "click-test": 1, "click-test-2": 1, "click-button": 1, "click-button-sequence": 2, "click-link": 1, "click-dialog": 1, "click-dialog-2": 1, "click-widget": 1, "click-tab": 1,
  "click-tab-2-easy": undefined, "click-option": 2, "click-checkboxes": undefined, "click-checkboxes-transfer": undefined, "click-collapsible-nodelay": 2, "click-menu-2": undefined,
  "click-scroll-list": undefined, "choose-list": undefined, "focus-text": 1, "focus-text-2": 1, "enter-text": 3, "enter-text-2": 3, "enter-text-dynamic": 3, "enter-password": 5, "login-user": 5,
  "form-sequence-2": undefined, "multi-layouts": undefined, "navigate-tree": undefined, "unicode-test": undefined,
}; // prettier-ignore

/** What the pages do otherwise than they are: for the report. */
export const CHANGES = [
  "the problem is drawn after Math.seedrandom(seed)",
  "the episode begins by core.startEpisodeReal() instead of a click on START, and no further one begins after it",
  "the time limit is 15 minutes instead of 10 seconds, and the reward is taken before it is scaled by time",
  "the panel with reward and countdown is hidden, so that the screen stands still",
];
const LIMIT_MS = 900_000;
const MAX_STEPS = 20;
const MAX_SECONDS = 240;
const POLL_MS = 100;

/** By name; all that the package has, or those within reach. */
export async function miniwobTasks(all: boolean): Promise<string[]> {
  const there = (await readdir(await miniwobPages())).filter((file) => file.endsWith(".html")).map((file) => file.slice(0, -".html".length));
  return there.filter((name) => all || name in WITHIN_REACH).sort();
}

/** The model at one task, with the X server's mouse and keyboard; the page says whether it was done. */
export async function playMiniwob(name: string, stage: Stage, model: AgentOptions, seeds: readonly number[], onRun: (run: Run) => void): Promise<void> {
  const url = pathToFileURL(join(await miniwobPages(), `${name}.html`)).href;
  for (const seed of seeds) {
    const window = await stage.window();
    const goal = await begin(window, url, seed);
    const steps: StepLine[] = [];
    using episode = watchEnd(window);
    const outDir = await mkdtemp(join(tmpdir(), "deskhand-miniwob-"));
    const { computer } = stage.opened;
    const agent = new Agent({ computer, outDir: join(outDir, "run"), approver: USER, maxSteps: MAX_STEPS, maxSeconds: MAX_SECONDS, ...model, onEvent: (event) => event.type === "step_ended" && steps.push(event.line) });
    const ending = await agent.run(goal, { signal: episode.ended });
    await rm(outDir, { recursive: true, force: true });
    const { done, reward, why } = await outcome(window);
    onRun({
      suite: "miniwob",
      task: name,
      seed,
      goal,
      success: done && reward === 1,
      steps: steps.length,
      oracleSteps: WITHIN_REACH[name],
      ending: done ? `reward ${reward}${why ? ` (${why})` : ""}` : `${ending.stop}: ${ending.reason}`,
      words: wordsOf(steps),
      timings: steps.map(({ timings }) => timings),
      unsafe: unaskedIn(steps),
      picture: await pictureOf(computer),
    });
  }
}

/** Somebody who wants what the task says, buttons that send or close included, and nothing else. */
const USER: Approver = {
  approve: async ({ risks }) => ({ kind: risks.some(({ kind }) => kind === "unasked") ? "refuse" : "approve" }),
  ask: async () => undefined,
};

async function begin({ page, show }: AppWindow, url: string, seed: number): Promise<string> {
  await show(url);
  await page.addStyleTag({ content: "#reward-display { display: none !important }" });
  return page.evaluate<string>(`(() => {
    core.EPISODE_MAX_TIME = ${LIMIT_MS};
    Math.seedrandom(${seed});
    core.startEpisodeReal();
    core.startEpisode = () => {};
    return core.getUtterance();
  })()`);
}

async function outcome({ page }: AppWindow): Promise<{ done: boolean; reward: number; why: string | null }> {
  return page.evaluate("({ done: WOB_DONE_GLOBAL, reward: WOB_RAW_REWARD_GLOBAL, why: WOB_REWARD_REASON })");
}

/** What the model would do after the end of the episode is no part of it. */
function watchEnd(window: AppWindow): Disposable & { ended: AbortSignal } {
  const over = new AbortController();
  const timer = setInterval(() => {
    outcome(window).then(
      ({ done }) => done && over.abort(new Error("the episode is over")),
      () => undefined,
    );
  }, POLL_MS);
  return { ended: over.signal, [Symbol.dispose]: () => clearInterval(timer) };
}
