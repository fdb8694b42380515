import type { Conversation, Dialect, Notice, Turn } from "../dialects/dialect.js";
import type { ModelReply } from "../model-client.js";
import type { ReplyRecord, StepLine } from "../recorder/records.js";
import { lastZoom } from "../step.js";
import type { StoredTrajectory } from "./read-trajectory.js";
import { hasScreen, recordedDetail, recordedLook, type SeenStep } from "./recorded-screen.js";

/** A reply as the model client gave it; times are not kept. */
export function toReply({ text, toolCalls, items, finishReason, usage }: ReplyRecord): ModelReply {
  return { text, toolCalls, items, finishReason: finishReason ?? "", usage, firstPieceMs: 0, totalMs: 0 };
}

/** The model's own replies of a step, each with those that a grounder gave for it, and why it was refused if it was. */
export interface Attempt {
  reply: ReplyRecord;
  found: ReplyRecord[];
  refused?: string;
}

export function attemptsOf({ replies }: StepLine): Attempt[] {
  const attempts: Attempt[] = [];
  for (const reply of replies) {
    if (reply.target === undefined) attempts.push({ reply, found: [] });
    else attempts.at(-1)?.found.push(reply);
    const attempt = attempts.at(-1);
    if (attempt && reply.error !== undefined) attempt.refused = reply.error;
  }
  return attempts;
}

/**
 * A recorded run as the conversation that it was, up to each step in turn. A dialect that is not the recorded one cannot read the
 * calls of earlier steps: it is told of them in words, with the task.
 */
export class History {
  readonly #trajectory: StoredTrajectory;
  readonly #dialect: Dialect;
  readonly #turns: Turn[] = [];
  readonly #told: string[] = [];

  constructor(trajectory: StoredTrajectory, dialect: Dialect) {
    this.#trajectory = trajectory;
    this.#dialect = dialect;
  }

  get isRecordedDialect(): boolean {
    return this.#trajectory.run.dialect === this.#dialect.name;
  }

  /** What the model would be sent at a step, after all those that were added. */
  async conversation(step: SeenStep): Promise<Conversation> {
    const { task } = this.#trajectory.run;
    const { dataUri, screen, cursor } = await recordedLook(this.#trajectory.dir, step).presentTo(this.#dialect);
    const shown = { picture: dataUri, cursor, screen, zoomed: step.scene.region !== undefined, notice: await this.#noticeOf(step) };
    if (this.isRecordedDialect || this.#told.length === 0) return { task, turns: [...this.#turns], ...shown };
    return { task: `${task}\nDone so far:${this.#told.map((words, index) => `\n${index + 1}. ${words}`).join("")}`, turns: [], ...shown };
  }

  /** Goes on to the next step. One without an effect noted was the last, or left no trace in the conversation. */
  async add(step: StepLine): Promise<void> {
    const reply = attemptsOf(step).at(-1)?.reply;
    if (!hasScreen(step) || step.hadEffect === undefined || step.summary === undefined || !reply) return;
    const { summary, hadEffect } = step;
    const refused = step.notDone !== undefined;
    this.#told.push(`${summary}${refused ? " (not done)" : hadEffect ? "" : " (nothing changed)"}`);
    if (!this.isRecordedDialect) return;
    const { dataUri, cursor } = await recordedLook(this.#trajectory.dir, step).presentTo(this.#dialect);
    const zoom = refused ? undefined : lastZoom(step.actions.map(({ action }) => action));
    this.#turns.push({ summary, reply: toReply(reply), picture: dataUri, cursor, zoomed: step.scene.region !== undefined, zoom, notice: await this.#noticeOf(step), hadEffect, refused });
  }

  async #noticeOf(step: StepLine): Promise<Notice | undefined> {
    if (step.notice === undefined || !this.#dialect.acceptsNotices) return undefined;
    return { text: step.notice, detail: await recordedDetail(this.#trajectory.dir, step) };
  }
}
