import { perform } from "./act.js";
import type { Action } from "./actions.js";
import { settle } from "./computer/settle.js";
import type { CustomTools, FunctionResult } from "./custom-tools.js";
import type { LoopOptions } from "./loop.js";
import { typeParts } from "./safety/secret-typing.js";
import { whyStale, type SeenFrame } from "./safety/stale-screen.js";
import type { SafetyNote, StepInfo } from "./safety/safety-kernel.js";

/** A ruling that took longer has waited, for a person or for a rate of the capability file. */
const QUICK_RULING_MS = 100;

export interface Acted {
  /** How many actions were done. */
  done: number;
  notes: SafetyNote[];
  /** What functions of the program returned. */
  results: FunctionResult[];
  /** Why the next one was refused. */
  refused?: string;
  /** Why the next one is out of date: the screen has to be looked at again. */
  outdated?: string;
  /** The same without a full stop, when it is because the screen had changed. */
  stale?: string;
}

/** What acting needs of a run. */
export type ActOptions = Pick<LoopOptions, "computer" | "controller" | "kernel" | "pointer" | "secrets" | "hidden" | "signal"> & { tools?: CustomTools };

/**
 * Does actions in order, each after the safety kernel has ruled on it, until one is not to be done.
 * @param seen the screen on which they were decided, where each may only be done if its target still looks like that
 */
export async function actSafely(options: ActOptions, actions: readonly Action[], info: StepInfo, seen?: SeenFrame): Promise<Acted> {
  const { computer, controller, kernel, pointer, tools, signal } = options;
  const notes: SafetyNote[] = [];
  const results: FunctionResult[] = [];
  const stale = async (done: number): Promise<Acted | undefined> => {
    const why = seen && (await whyStale(computer, seen, actions, done, signal));
    return why === undefined ? undefined : { done, notes, results, outdated: `${why}.`, stale: why };
  };
  for (const [done, action] of actions.entries()) {
    // A click may still be opening the window on which the next action will land.
    if (done > 0 && kernel.needsStillWindows) await settle(computer, { signal });
    await pointer.look();
    if (await controller.pass(signal)) return { done, notes, results, outdated: "The run was paused." };
    const gone = await stale(done);
    if (gone) return gone;
    const askedAt = performance.now();
    // Whoever is asked may use the mouse to answer.
    const ruling = await pointer.whileActing(() => kernel.review(action, info, signal));
    if (ruling.note) notes.push(ruling.note);
    if (ruling.kind !== "go") return { done, notes, results, [ruling.kind]: ruling.reason };
    const goneMeanwhile = performance.now() - askedAt > QUICK_RULING_MS ? await stale(done) : undefined;
    if (goneMeanwhile) return goneMeanwhile;
    if (action.type === "call" && tools) results.push(await tools.call(action, signal));
    else await pointer.whileActing(() => performRevealed(options, action));
  }
  return { done: actions.length, notes, results };
}

/** Secrets exist in the clear only from here on. */
async function performRevealed(options: ActOptions, action: Action): Promise<void> {
  const { computer, secrets, hidden, signal } = options;
  const parts = action.type === "type" ? secrets.reveal(action.text) : [];
  if (parts.some(({ secret }) => secret)) return typeParts(computer, parts, hidden, signal);
  return perform(computer, action, signal);
}
