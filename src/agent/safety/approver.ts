import type { Action, Point } from "../actions.js";
import type { WindowInfo } from "../computer/computer.js";
import type { ScreenPart } from "../coordinates.js";
import type { Risk } from "./risk.js";

/** What a person is asked to allow: one action, about to be done. */
export interface ApprovalRequest {
  step: number;
  action: Action;
  /** The action in words, and where it would land. Secrets are placeholders. */
  description: string;
  /** Why it is asked about; empty when everything is. */
  risks: readonly Risk[];
  window?: WindowInfo;
  /** Where it aims; absent for keys and text. */
  target?: Point;
  /** PNG of the screen around the target, or of all of it: what the approval is bound to. */
  picture: Buffer;
  /** What part of the screen is on it. */
  shown: ScreenPart;
  /** Where on the picture it aims, in parts of its width and height; absent for keys and text. */
  mark?: Point;
}

export type Verdict =
  | { kind: "approve" }
  /** `reason` is told to the model. */
  | { kind: "refuse"; reason?: string }
  | { kind: "stop"; reason?: string };

/**
 * A person, through a terminal, a page or a voice. Both methods reject with the signal's reason when it aborts: the run is over, or
 * somebody answered elsewhere.
 */
export interface Approver {
  approve(request: ApprovalRequest, signal: AbortSignal): Promise<Verdict>;
  /** Asks for help in words. Undefined means: stop. */
  ask(question: string, signal: AbortSignal): Promise<string | undefined>;
}

/** Several ways to the same person: the first answer counts, and the others are called off. */
export function anyApprover(approvers: readonly Approver[]): Approver {
  const race = async <T>(signal: AbortSignal, ask: (approver: Approver, signal: AbortSignal) => Promise<T>): Promise<T> => {
    const others = new AbortController();
    try {
      return await Promise.any(approvers.map((approver) => ask(approver, AbortSignal.any([signal, others.signal]))));
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof AggregateError ? error.errors[0] : error;
    } finally {
      others.abort();
    }
  };
  return {
    approve: (request, signal) => race(signal, (approver, own) => approver.approve(request, own)),
    ask: (question, signal) => race(signal, (approver, own) => approver.ask(question, own)),
  };
}
