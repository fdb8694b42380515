import type { LiveEvent, LivePlan, LiveQuestion, LiveScreen, LiveStep } from "../live-events.js";

/** A step as far as it is known. */
export interface StoryStep {
  step: number;
  screen?: LiveScreen;
  plan?: LivePlan;
  replies: { target?: string; thinking: string; text: string; refused?: string }[];
  /** Once it has ended. */
  ended?: LiveStep;
}

export type RunFacts = Extract<LiveEvent, { type: "run" }>;
export type RunResult = Extract<LiveEvent, { type: "result" }>;

/** What the page knows of the run. Events may come again after a lost connection; they change nothing then. */
export class Story {
  run: RunFacts | undefined;
  result: RunResult | undefined;
  steps = new Map<number, StoryStep>();
  tokens = 0;
  mode: Extract<LiveEvent, { type: "mode" }> = { type: "mode", mode: "running" };
  question: LiveQuestion | undefined;
  /** Where runs are asked for by voice. */
  heard: Extract<LiveEvent, { type: "heard" }> | undefined;

  /** Whether nothing more will come. */
  get isOver(): boolean {
    return this.heard ? this.heard.ended === true : this.result !== undefined;
  }

  /** The latest step. */
  get current(): StoryStep | undefined {
    return [...this.steps.values()].at(-1);
  }

  apply(event: LiveEvent): void {
    switch (event.type) {
      case "run":
        [this.run, this.result, this.tokens] = [event, undefined, 0];
        this.steps.clear();
        break;
      case "result":
        this.result = event;
        break;
      case "tokens":
        this.tokens = event.tokens;
        break;
      case "mode":
        this.mode = event;
        break;
      case "asking":
        this.question = event.question;
        break;
      case "heard":
        this.heard = event;
        break;
      case "looking":
        this.#step(event.step);
        break;
      case "screen":
        this.#step(event.step).screen = event.screen;
        break;
      case "reply":
        this.#step(event.step).replies.push({ target: event.target, thinking: "", text: "" });
        break;
      case "words":
        this.#reply(event.step).text += event.text;
        break;
      case "thinking":
        this.#reply(event.step).thinking += event.text;
        break;
      case "replied":
        this.#reply(event.step).text = event.text;
        break;
      case "refused":
        this.#reply(event.step).refused = event.reason;
        break;
      case "planned":
        this.#step(event.step).plan = event.plan;
        break;
      case "step":
        this.#end(event.step, event.view);
        break;
    }
  }

  /** What was thought is in no recording: it stays with whoever saw it come. */
  #end(number: number, ended: LiveStep): void {
    const step = this.#step(number);
    step.replies = ended.replies.map((reply, index) => ({ ...reply, thinking: step.replies[index]?.thinking ?? "" }));
    Object.assign(step, { ended, plan: ended, screen: ended.screen });
  }

  #step(number: number): StoryStep {
    const known = this.steps.get(number);
    if (known) return known;
    const step: StoryStep = { step: number, replies: [] };
    this.steps.set(number, step);
    return step;
  }

  #reply(number: number): StoryStep["replies"][number] {
    const { replies } = this.#step(number);
    if (replies.length === 0) replies.push({ thinking: "", text: "" });
    return replies.at(-1)!;
  }
}
