import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Agent, type AgentOptions, type AgentResult } from "../../src/agent/agent.js";
import { openComputer, type OpenedComputer } from "../../src/agent/computer/index.js";
import type { StepLine } from "../../src/agent/recorder/records.js";
import type { ApprovalRequest, Approver } from "../../src/agent/safety/approver.js";
import { openAppWindow, type AppWindow } from "./app-window.js";
import { openPageScene } from "./page-scene.js";
import { openPythonScene } from "./python-scene.js";
import { stateOf, type ApplicationName, type Scene } from "./scene.js";
import type { Outcome, Task } from "./task.js";
import { openTerminalScene } from "./terminal-scene.js";

/** How long after its end a run may still turn out to have done its task. */
const PATIENCE_MS = 3000;
const POLL_MS = 50;

/** What a run came to. */
export interface Played extends Outcome {
  ending: AgentResult;
  steps: StepLine[];
  /** What a person was asked about. */
  asked: ApprovalRequest[];
  done: boolean;
}

/** One virtual display, always of the same size, density, fonts and theme, for many tasks after each other. */
export class Stage implements AsyncDisposable {
  readonly opened: OpenedComputer;
  readonly #folder: string;
  /** Chromium takes long to start: it stays. */
  #window: Promise<AppWindow> | undefined;
  #runs = 0;

  private constructor(opened: OpenedComputer, folder: string) {
    this.opened = opened;
    this.#folder = folder;
  }

  static async open(): Promise<Stage> {
    const folder = await mkdtemp(join(tmpdir(), "deskhand-tasks-"));
    return new Stage(await openComputer({ display: "virtual" }), folder);
  }

  async scene(application: ApplicationName): Promise<Scene> {
    if (application !== "web") await this.#closeWindow();
    if (application === "web") return openPageScene(await this.window());
    if (application === "terminal") return openTerminalScene(this.opened);
    return openPythonScene(application, this.opened);
  }

  /** Chromium, over the whole display. */
  window(): Promise<AppWindow> {
    return (this.#window ??= openAppWindow(this.opened));
  }

  /** Lets an agent do the task on a scene that was prepared for it, and judges by the application's state. */
  async play(task: Task, scene: Scene, options: AgentOptions, patienceMs = PATIENCE_MS): Promise<Played> {
    const before = await stateOf(scene);
    const steps: StepLine[] = [];
    const asked: ApprovalRequest[] = [];
    const agent = new Agent({
      computer: this.opened.computer,
      outDir: join(this.#folder, `run-${++this.#runs}`),
      approver: personFor(task, asked),
      ...options,
      onEvent: (event) => {
        if (event.type === "step_ended") steps.push(event.line);
      },
    });
    const ending = await agent.run(task.goal);
    // An application may still be at work, a shell for example.
    for (const deadlineMs = performance.now() + patienceMs; ; await sleep(POLL_MS)) {
      const after = await stateOf(scene);
      const done = task.done({ before, after, ending });
      if (done || performance.now() > deadlineMs) return { before, after, ending, steps, asked, done };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#closeWindow();
    await this.opened.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #closeWindow(): Promise<void> {
    const window = await this.#window;
    this.#window = undefined;
    await window?.[Symbol.asyncDispose]();
  }
}

/** A person who wants the task done and nothing else: approves what the task needs, and refuses all other things. */
function personFor({ asks = [], says }: Task, asked: ApprovalRequest[]): Approver {
  return {
    async approve(request) {
      asked.push(request);
      return request.risks.every(({ kind }) => asks.includes(kind)) ? { kind: "approve" } : { kind: "refuse" };
    },
    ask: async () => says,
  };
}
