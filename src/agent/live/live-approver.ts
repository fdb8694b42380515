import { DeskhandError } from "../../core/errors.js";
import { Mutex } from "../../core/semaphore.js";
import type { ApprovalRequest, Approver, Verdict } from "../safety/approver.js";
import type { LiveQuestion } from "./live-events.js";

interface Asked {
  question: LiveQuestion;
  picture?: Buffer;
  /** `words` where words were asked for; undefined words mean: stop. */
  answer(answer: { verdict: Verdict } | { words: string | undefined }): void;
  leave(reason: Error): void;
}

/** A question without its name. */
type Unnamed<Question = LiveQuestion> = Question extends LiveQuestion ? Omit<Question, "id"> : never;

/** Asks on the page, one question at a time. An answer names its question: what is clicked too late answers nothing else. */
export class LiveApprover implements Approver {
  readonly #show: (question: LiveQuestion | undefined) => void;
  readonly #turn = new Mutex();
  #count = 0;
  #asked: Asked | undefined;
  #closed: Error | undefined;

  /** @param show told of each question, and when none is asked any more */
  constructor(show: (question: LiveQuestion | undefined) => void) {
    this.#show = show;
  }

  async approve({ step, description, risks, mark, picture }: ApprovalRequest, signal: AbortSignal): Promise<Verdict> {
    const answer = await this.#ask({ kind: "approval", step, description, risks: risks.map(({ why }) => why), mark }, signal, picture);
    if ("verdict" in answer) return answer.verdict;
    throw new Error("words are no verdict");
  }

  async ask(text: string, signal: AbortSignal): Promise<string | undefined> {
    const answer = await this.#ask({ kind: "words", text }, signal);
    if ("words" in answer) return answer.words;
    throw new Error("a verdict is no words");
  }

  /** @throws DeskhandError `not_found` when this is not asked now, `invalid_argument` when something else is asked for. */
  answer(id: string, answer: { verdict: Verdict } | { words: string | undefined }): void {
    const asked = this.#find(id);
    const fits = asked.question.kind === "approval" ? "verdict" in answer : "words" in answer;
    if (!fits) throw new DeskhandError("invalid_argument", `Expected ${asked.question.kind === "approval" ? "a verdict" : "words"} as the answer to this question.`);
    asked.answer(answer);
  }

  /** What the target of an approval looks like. @throws DeskhandError `not_found`. */
  picture(id: string): Buffer {
    const { picture } = this.#find(id);
    if (!picture) throw new DeskhandError("not_found", "This question has no picture.");
    return picture;
  }

  /** Nobody will answer any more. */
  close(): void {
    this.#closed = new DeskhandError("cancelled", "The live page was closed before its question was answered.");
    this.#asked?.leave(this.#closed);
  }

  #find(id: string): Asked {
    if (this.#asked?.question.id === id) return this.#asked;
    throw new DeskhandError("not_found", "This question is not asked any more: it was answered, or the run went on or ended.");
  }

  async #ask(unnamed: Unnamed, signal: AbortSignal, picture?: Buffer): Promise<{ verdict: Verdict } | { words: string | undefined }> {
    const release = await this.#turn.acquire(signal);
    const onAbort = () => this.#asked?.leave(signal.reason as Error);
    try {
      signal.throwIfAborted();
      if (this.#closed) throw this.#closed;
      return await new Promise((resolve, reject) => {
        const question: LiveQuestion = { id: String(++this.#count), ...unnamed };
        signal.addEventListener("abort", onAbort);
        this.#asked = { question, picture, answer: resolve, leave: reject };
        this.#show(question);
      });
    } finally {
      signal.removeEventListener("abort", onAbort);
      if (this.#asked) this.#show(undefined);
      this.#asked = undefined;
      release();
    }
  }
}
