import type { Action, Point } from "../actions.js";
import type { Screenshot } from "../computer/computer.js";
import { sameButForCaret } from "../computer/settle.js";
import { sameActions, targetOf } from "./same-action.js";

/** A finished step, as far as going round in circles goes. */
export interface GuardedStep {
  actions: readonly Action[];
  /** In the model's words. */
  summary: string;
  /** The screen before it. */
  before: Screenshot;
  /** The screen after it. */
  after: Screenshot;
}

/** What is done about a run that gets nowhere, from the mildest: tell the model, show it the place enlarged, ask a person, stop. */
export type Rung = "hint" | "look" | "ask" | "stop";

export interface Stuck {
  rung: Rung;
  /** What keeps happening, for the model and for people. */
  pattern: string;
  /** Where the steps aim. */
  target?: Point;
}

interface Remembered extends Pick<GuardedStep, "actions" | "summary"> {
  before: Screenshot | undefined;
  /** By the length of a circle that ends here, less one: whether the screen is again what it was before that circle. */
  cameBack: boolean[];
}

const RUNGS: readonly Rung[] = ["hint", "look", "ask", "stop"];

/** The longest circle that is looked for: A-B-C-D-A-B-C-D. */
const MAX_PERIOD = 4;

/**
 * After how many rounds the first rung is due, and how many more each further rung takes. The same thing again that leaves the screen
 * as it was is futile at once. What changes it may be work: ten clicks on "+", or page after page; only text is seldom wanted twice.
 * Waiting takes its time, and different things may each have no effect before one has.
 */
const PATIENCE = {
  futile: { first: 2, more: 1 },
  waiting: { first: 5, more: 3 },
  typing: { first: 3, more: 1 },
  changing: { first: 8, more: 4 },
  noEffect: { first: 5, more: 2 },
} as const;

/** The most patient case reaches its last rung after 20 steps of one kind. */
const MAX_REMEMBERED = 24;

/** Notices that a run gets nowhere. It climbs one rung at a time, and starts anew when something else happens. */
export class LoopGuard {
  readonly #steps: Remembered[] = [];
  readonly #scale: number;

  /** @param scale captured pixels per logical pixel */
  constructor(scale: number) {
    this.#scale = scale;
  }

  /** Takes a finished step in. Undefined while the run seems to get somewhere, or no further rung is due. */
  record({ actions, summary, before, after }: GuardedStep): Stuck | undefined {
    const step: Remembered = { actions, summary, before, cameBack: [] };
    this.#steps.push(step);
    if (this.#steps.length > MAX_REMEMBERED) this.#steps.shift();
    for (let period = 1; period <= MAX_PERIOD; period++) {
      const first = this.#steps.at(-period)?.before;
      step.cameBack.push(first !== undefined && sameButForCaret(first, after, this.#scale));
    }
    const old = this.#steps.at(-MAX_PERIOD);
    if (old) old.before = undefined;
    for (let period = 1; period <= MAX_PERIOD; period++) {
      const stuck = this.#judgeCircle(period);
      if (stuck) return stuck;
    }
    return this.#judgeEffect();
  }

  /** Forgets everything: a person has had a say. */
  reset(): void {
    this.#steps.length = 0;
  }

  #judgeCircle(period: number): Stuck | undefined {
    let equal = 0;
    while (equal < this.#steps.length - period && this.#repeats(this.#steps.length - 1 - equal, period)) equal += 1;
    // Only whole circles count, each once.
    if (equal === 0 || equal % period !== 0) return undefined;
    const rounds = equal / period + 1;
    let futileRounds = 0;
    while (futileRounds < rounds && this.#steps.at(-1 - futileRounds * period)!.cameBack[period - 1]) futileRounds += 1;
    const circle = this.#steps.slice(-period);
    const count = futileRounds > 0 ? futileRounds : rounds;
    const rung = rungFor(kindOf(circle, futileRounds > 0), count);
    if (!rung) return undefined;
    const words = circle.map(({ summary }) => JSON.stringify(summary)).join(", then ");
    const outcome = futileRounds > 0 ? ", and the screen is as it was before" : "";
    return { rung, pattern: `${words} was done ${count} times in a row${outcome}`, target: targetOf(circle.flatMap(({ actions }) => [...actions])) };
  }

  /** Steps that are different and all change nothing. Waiting and pointing are not meant to. */
  #judgeEffect(): Stuck | undefined {
    const acting = this.#steps.filter(({ actions }) => actions.some(({ type }) => ACTING.has(type)));
    if (acting.at(-1) !== this.#steps.at(-1)) return undefined;
    const idle = acting.length - 1 - acting.findLastIndex(({ cameBack }) => !cameBack[0]);
    const rung = rungFor("noEffect", idle);
    return rung && { rung, pattern: `nothing on the screen changed in ${idle} steps`, target: targetOf(acting.at(-1)!.actions) };
  }

  #repeats(index: number, period: number): boolean {
    const [a, b] = [this.#steps[index]!, this.#steps[index - period]!];
    // What does nothing is told by its words: "this box is on already", of one box after the other.
    return sameActions(a.actions, b.actions) && (!a.actions.every(doesNothing) || a.summary === b.summary);
  }
}

const ACTING: ReadonlySet<Action["type"]> = new Set(["click", "drag", "scroll", "type", "key"] satisfies Action["type"][]);

function kindOf(circle: readonly Remembered[], futile: boolean): keyof typeof PATIENCE {
  const actions = circle.flatMap(({ actions }) => [...actions]);
  if (futile) return actions.every((action) => action.type === "wait" && !doesNothing(action)) ? "waiting" : "futile";
  return actions.some(({ type }) => type === "type") ? "typing" : "changing";
}

function rungFor(kind: keyof typeof PATIENCE, count: number): Rung | undefined {
  const { first, more } = PATIENCE[kind];
  const over = count - first;
  return over < 0 || over % more !== 0 ? undefined : RUNGS[Math.min(over / more, RUNGS.length - 1)];
}

function doesNothing(action: Action): boolean {
  return action.type === "wait" && action.ms === 0;
}
