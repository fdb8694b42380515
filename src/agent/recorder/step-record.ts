import type { ModelReply } from "../model-client.js";
import type { ReplyRecord, StepLine, StepTimings } from "./records.js";

/** A step's line while the step is under way, so that one that is cut short leaves what was known. */
export class StepRecord {
  readonly line: StepLine;
  readonly #startedAt = performance.now();

  constructor(step: number) {
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

  /** `target` is what a grounder is asked to find. */
  beginReply(target?: string): void {
    this.line.replies.push({ target, text: "", toolCalls: [] });
  }

  addText(text: string): void {
    this.#reply.text += text;
  }

  endReply(reply: ModelReply): void {
    const { text, toolCalls, finishReason, usage, serverTimings } = reply;
    Object.assign(this.#reply, { text, toolCalls, finishReason, usage, serverTimings });
    const { timings } = this.line;
    timings.prefillMs += serverTimings ? serverTimings.process_ms + serverTimings.prefill_ms : reply.firstPieceMs;
    timings.decodeMs += serverTimings ? serverTimings.decode_ms : reply.totalMs - reply.firstPieceMs;
  }

  /** Notes why the latest reply could not be used. */
  refuseReply(reason: string): void {
    this.#reply.error = reason;
  }

  /** The finished line, with times to a tenth of a millisecond. */
  finish(): StepLine {
    const { timings } = this.line;
    timings.totalMs = performance.now() - this.#startedAt;
    for (const phase of Object.keys(timings) as (keyof StepTimings)[]) timings[phase] = Math.round(timings[phase] * 10) / 10;
    return this.line;
  }

  get #reply(): ReplyRecord {
    const reply = this.line.replies.at(-1);
    if (!reply) throw new Error("no reply has begun");
    return reply;
  }
}
