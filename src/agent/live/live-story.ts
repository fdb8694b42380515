import { describeAction } from "../describe.js";
import { drawingOf } from "../recorder/overlay.js";
import type { StepLine } from "../recorder/records.js";
import { noteWords, replyWords, resultWords, titleOf } from "../recorder/words.js";
import type { RunEvent } from "../run-events.js";
import { shownRegion, type Scene } from "../scene.js";
import type { LiveEvent, LivePlan, LiveScreen, LiveStep } from "./live-events.js";

/** Tells a run's events as the page is to show them: actions in words and drawn, no more of the rest than is shown. */
export class LiveStory {
  #dir = "";
  readonly #pictures = new Map<number, string>();
  #scene: Scene | undefined;

  /** The file of a step's picture, and its folder. */
  picture(step: number): { dir: string; name: string } | undefined {
    const name = this.#pictures.get(step);
    return name === undefined ? undefined : { dir: this.#dir, name };
  }

  tell(event: RunEvent): LiveEvent {
    switch (event.type) {
      case "run_began": {
        const { task, model, display, limits, safety, startedAt } = event.run;
        this.#dir = event.trajectoryDir;
        this.#pictures.clear();
        return { type: "run", task, model, display, startedAt, dryRun: safety.dryRun, ...limits };
      }
      case "step_began":
        this.#scene = undefined;
        return { type: "looking", step: event.step };
      case "screen":
        this.#pictures.set(event.step, event.picture);
        this.#scene = event.scene;
        return { type: "screen", step: event.step, screen: sizeOf(event.scene) };
      case "reply_began":
        return { type: "reply", step: event.step, target: event.target };
      case "words":
      case "thinking":
        return event;
      case "reply_ended":
        return { type: "replied", step: event.step, text: replyWords(event.reply) };
      case "reply_refused":
        return { type: "refused", step: event.step, reason: event.reason };
      case "planned":
        return { type: "planned", step: event.step, plan: this.#plan(event) };
      case "step_ended":
        return { type: "step", step: event.line.step, view: this.#step(event.line) };
      case "run_ended": {
        const { success, reason, answer, durationMs } = event.result;
        return { type: "result", success, reason, answer, durationMs };
      }
    }
  }

  #plan(step: Pick<StepLine, "summary" | "error" | "actions">): LivePlan {
    const drawing = this.#scene && drawingOf(step.actions, this.#scene);
    return { title: titleOf(step), actions: step.actions.map(({ action }) => describeAction(action)), drawing };
  }

  #step(line: StepLine): LiveStep {
    const { replies, safety = [], results = [], notDone, error, timings } = line;
    return {
      ...this.#plan(line),
      screen: line.scene && sizeOf(line.scene),
      replies: replies.map((reply) => ({ target: reply.target, text: replyWords(reply), refused: reply.error })),
      notes: [...safety.map(noteWords), ...results.map(resultWords)],
      notDone,
      error,
      totalMs: timings.totalMs,
    };
  }
}

function sizeOf(scene: Scene): LiveScreen {
  const { width, height } = shownRegion(scene);
  return { width, height };
}
