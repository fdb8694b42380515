import type { ParsedStep } from "../dialects/dialect.js";
import type { ModelReply } from "../model-client.js";
import type { Observation } from "../observe.js";
import type { RunListener } from "../run-events.js";
import type { Redactor } from "../safety/redactor.js";
import type { ReplyRecord, StepLine, StepTimings } from "./records.js";

export interface StepRecordOptions {
  /** Told of everything as it happens. */
  tell: RunListener;
  /** Keeps secrets out of a text that comes in pieces. */
  redactor: () => Redactor;
}

/** A step's line while the step is under way, so that one that is cut short leaves what was known; and whoever follows is told. */
export class StepRecord {
  readonly line: StepLine;
  readonly #startedAt = performance.now();
  readonly #tell: RunListener;
  readonly #words: Redactor;
  readonly #thinking: Redactor;

  constructor(step: number, { tell, redactor }: StepRecordOptions) {
    this.#tell = tell;
    [this.#words, this.#thinking] = [redactor(), redactor()];
    this.line = {
      type: "step",
      step,
      startedAt: new Date().toISOString(),
      replies: [],
      actions: [],
      timings: { captureMs: 0, encodeMs: 0, modelMs: 0, prefillMs: 0, decodeMs: 0, actMs: 0, settleMs: 0, totalMs: 0 },
    };
  }

  /** Adds the time `work` takes to a phase, also when it fails. */
  async time<T>(phase: keyof StepTimings, work: () => Promise<T>): Promise<T> {
    const startedAt = performance.now();
    try {
      return await work();
    } finally {
      this.line.timings[phase] += performance.now() - startedAt;
    }
  }

  /** What the model gets to see. */
  see(picture: string, { scene, chain }: Pick<Observation, "scene" | "chain">): void {
    Object.assign(this.line, { scene, picture, chain });
    this.#tell({ type: "screen", step: this.line.step, picture, scene });
  }

  /** `target` is what a grounder is asked to find. */
  beginReply(target?: string): void {
    this.line.replies.push({ target, text: "", toolCalls: [] });
    this.#tell({ type: "reply_began", step: this.line.step, target });
  }

  addText(text: string): void {
    this.#reply.text += text;
    this.#tellText("words", this.#words.push(text));
  }

  /** Thinking is told, but no part of the reply. */
  addThinking(text: string): void {
    this.#tellText("thinking", this.#thinking.push(text));
  }

  /** `tokens` are those of the run so far. */
  endReply(reply: ModelReply, tokens: number): void {
    this.#tellText("thinking", this.#thinking.end());
    this.#tellText("words", this.#words.end());
    const { text, toolCalls, items, finishReason, usage, serverTimings } = reply;
    Object.assign(this.#reply, { text, toolCalls, items, finishReason, usage, serverTimings });
    const { timings } = this.line;
    timings.prefillMs += serverTimings ? serverTimings.process_ms + serverTimings.prefill_ms : reply.firstPieceMs;
    timings.decodeMs += serverTimings ? serverTimings.decode_ms : reply.totalMs - reply.firstPieceMs;
    this.#tell({ type: "reply_ended", step: this.line.step, reply: { ...this.#reply }, tokens });
  }

  /** Notes why the latest reply could not be used. */
  refuseReply(reason: string): void {
    this.#reply.error = reason;
    this.#tell({ type: "reply_refused", step: this.line.step, reason });
  }

  /** What will be done now. */
  plan({ summary, actions }: ParsedStep): void {
    Object.assign(this.line, { summary, actions });
    this.#tell({ type: "planned", step: this.line.step, summary, actions });
  }

  /** The finished line, with times to a tenth of a millisecond. */
  finish(): StepLine {
    const { timings } = this.line;
    timings.totalMs = performance.now() - this.#startedAt;
    for (const phase of Object.keys(timings) as (keyof StepTimings)[]) timings[phase] = Math.round(timings[phase] * 10) / 10;
    return this.line;
  }

  #tellText(type: "words" | "thinking", text: string): void {
    if (text !== "") this.#tell({ type, step: this.line.step, text });
  }

  get #reply(): ReplyRecord {
    const reply = this.line.replies.at(-1);
    if (!reply) throw new Error("no reply has begun");
    return reply;
  }
}
