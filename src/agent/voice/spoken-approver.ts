import type { ApprovalRequest, Approver, Verdict } from "../safety/approver.js";
import { yesOrNo } from "./commands.js";

/** Asks aloud, and takes what is said next as the answer. */
export class SpokenApprover implements Approver {
  readonly #ask: (question: string) => void;
  #waiting: ((answer: string | undefined) => void) | undefined;
  readonly #isOnlyWay: boolean;
  #alone = false;

  /** @param isOnlyWay whether nobody can answer elsewhere, e.g. on a page */
  constructor(ask: (question: string) => void, { isOnlyWay = true }: { isOnlyWay?: boolean } = {}) {
    this.#ask = ask;
    this.#isOnlyWay = isOnlyWay;
  }

  /** @returns whether somebody had asked. */
  answer(text: string): boolean {
    const waiting = this.#waiting;
    waiting?.(text);
    return waiting !== undefined;
  }

  /** Nobody will say anything any more: where this is the only way to answer, what is asked is not answered. */
  leave(): void {
    if (!this.#isOnlyWay) return;
    this.#alone = true;
    this.#waiting?.(undefined);
  }

  async approve({ description, risks }: ApprovalRequest, signal: AbortSignal): Promise<Verdict> {
    const why = risks.length > 0 ? ` It ${risks.map((risk) => risk.why).join(", and it ")}.` : "";
    // Whatever is neither may be a mishearing: it is asked again, and never taken for a yes.
    for (;;) {
      const said = await this.#next(`May I: ${description}?${why} Say yes or no.`, signal);
      if (said === undefined) return { kind: "stop", reason: "nobody is there to answer" };
      const verdict = yesOrNo(said);
      if (verdict !== undefined) return verdict ? { kind: "approve" } : { kind: "refuse", reason: said };
    }
  }

  ask(question: string, signal: AbortSignal): Promise<string | undefined> {
    return this.#next(question, signal);
  }

  async #next(question: string, signal: AbortSignal): Promise<string | undefined> {
    signal.throwIfAborted();
    if (this.#alone) return undefined;
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        this.#waiting = undefined;
        signal.removeEventListener("abort", onAbort);
      };
      const onAbort = (): void => {
        settle();
        reject(signal.reason as Error);
      };
      this.#waiting = (answer) => {
        settle();
        resolve(answer);
      };
      signal.addEventListener("abort", onAbort);
      this.#ask(question);
    });
  }
}
