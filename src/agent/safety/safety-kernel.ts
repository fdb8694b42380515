import { createLogger } from "../../core/log.js";
import type { Action, Point } from "../actions.js";
import type { Computer, WindowInfo } from "../computer/computer.js";
import { Interruption } from "../stop.js";
import type { Approver } from "./approver.js";
import { describeReach, isForKeyboard, reachOf, type Capabilities, type Reach } from "./capabilities.js";
import { toChord } from "./chords.js";
import { labelRisks, pressedPlace, type ReadLabel } from "./label.js";
import { RateLimiter } from "./rate-limiter.js";
import { assessRisk, type Risk, type RiskClass } from "./risk.js";
import { TargetSeal } from "./target-seal.js";

const log = createLogger("safety");

/** As much of what was typed in one go as patterns are held against. */
const MAX_TYPED = 2000;

export type Confirm = "never" | "risky" | "always";

export interface SafetyOptions {
  computer: Computer;
  /** What a person asked for; undefined when nobody here knows. */
  task?: string | undefined;
  confirm: Confirm;
  capabilities?: Capabilities;
  /** What is known of the functions that the agent was given. */
  riskOf?: (name: string) => RiskClass | undefined;
  /** Whoever can be asked; without one, what has to be asked about is refused. */
  approver?: Approver;
}

/** The step an action belongs to. */
export interface StepInfo {
  step: number;
  /** The model's words about it, with the names of its targets where these stand elsewhere. */
  words: string;
  /** Reads what an action is about to press, where there is a model that can. */
  readLabel?: ReadLabel | undefined;
}

export type Ruling =
  | { kind: "go"; note?: SafetyNote }
  /** `reason` is for the model. */
  | { kind: "refused"; reason: string; note: SafetyNote }
  /** Approved, but for a screen that is no longer there: look again. */
  | { kind: "outdated"; reason: string; note: SafetyNote };

/** What is remembered of an action that was more than a matter of course. */
export interface SafetyNote {
  action: string;
  risks: readonly Risk[];
  ruling: "approved" | "allowed" | "refused" | "outdated" | "would_ask";
  reason?: string;
}

interface Judgement {
  reach: Reach;
  class: RiskClass;
  risks: Risk[];
  /** Why the capability file forbids it. */
  denied?: string;
}

/**
 * Rules on every action right before it is done. It knows the task, the capability file, the windows and what was done so far. What a model
 * reads on a control can only make it ask a person more: nothing that a screen says can talk it into anything.
 */
export class SafetyKernel {
  readonly #options: SafetyOptions;
  readonly #actionRate: RateLimiter | undefined;
  readonly #characterRate: RateLimiter | undefined;
  /** All that a person has said in this run, when it is known what they asked for. */
  #asked: string | undefined;
  #heldKeys: string[] = [];
  #typed = "";

  constructor(options: SafetyOptions) {
    this.#options = options;
    this.#asked = options.task;
    const { actionsPerMinute, charactersPerMinute } = options.capabilities?.rates ?? {};
    this.#actionRate = actionsPerMinute === undefined ? undefined : new RateLimiter(actionsPerMinute);
    this.#characterRate = charactersPerMinute === undefined ? undefined : new RateLimiter(charactersPerMinute);
  }

  /** Whether an action's window must be settled before it is ruled on. */
  get needsStillWindows(): boolean {
    return this.#options.capabilities?.speaksOfWindows ?? false;
  }

  get hasPerson(): boolean {
    return this.#options.approver !== undefined;
  }

  /**
   * Whether an action may be done now. Asks a person where one has to be asked, and keeps to the rates.
   * @throws Interruption when the person says stop; DeskhandError `cancelled`.
   */
  async review(action: Action, step: StepInfo, signal: AbortSignal): Promise<Ruling> {
    const judged = await this.#withLabel(action, await this.#judge(action, step), step, signal);
    const describe = (ruling: SafetyNote["ruling"], reason?: string): SafetyNote => ({ action: describeReach(action, judged.reach.windows[0]), risks: judged.risks, ruling, reason });
    if (judged.denied !== undefined) {
      const reason = `The capability file allows ${judged.denied}.`;
      return { kind: "refused", reason, note: describe("refused", reason) };
    }
    const asks = this.#mustAsk(judged);
    if (asks) {
      const { refused, outdated } = await this.#askPerson(action, step, judged, signal);
      if (refused !== undefined) return { kind: "refused", reason: refused, note: describe("refused", refused) };
      if (outdated !== undefined) return { kind: "outdated", reason: outdated, note: describe("outdated", outdated) };
    }
    const tooLong = await this.#keepRates(action, signal);
    if (tooLong !== undefined) return { kind: "refused", reason: tooLong, note: describe("refused", tooLong) };
    this.#remember(action, judged.reach);
    if (asks) return { kind: "go", note: describe("approved") };
    return judged.risks.length > 0 ? { kind: "go", note: describe("allowed") } : { kind: "go" };
  }

  /** What would be ruled, without asking anybody. */
  async preview(action: Action, step: StepInfo): Promise<SafetyNote | undefined> {
    const judged = await this.#judge(action, step);
    const base = { action: describeReach(action, judged.reach.windows[0]), risks: judged.risks };
    this.#remember(action, judged.reach);
    if (judged.denied !== undefined) return { ...base, ruling: "refused", reason: `The capability file allows ${judged.denied}.` };
    if (this.#mustAsk(judged)) return { ...base, ruling: "would_ask" };
    return judged.risks.length > 0 ? { ...base, ruling: "allowed" } : undefined;
  }

  /** Asks the person in words; what they say counts as asked for. Undefined when there is nobody, or they want to stop. */
  async ask(question: string, signal: AbortSignal): Promise<string | undefined> {
    const answer = await this.#options.approver?.ask(question, signal);
    if (answer !== undefined && this.#asked !== undefined) this.#asked += `\n${answer}`;
    return answer;
  }

  /** For the loop: everything was let go of. */
  released(): void {
    this.#heldKeys = [];
  }

  async #judge(action: Action, { words }: StepInfo): Promise<Judgement> {
    const { computer, capabilities } = this.#options;
    const reach = reachOf(action, { cursor: await computer.cursor(), heldKeys: this.#heldKeys, typedBefore: this.#typed });
    const whole: Reach = { ...reach, windows: await this.#windowsOf(action, endsOf(reach.points)) };
    return { reach: whole, denied: capabilities?.whyDenied(action, whole), ...assessRisk(action, { words, asked: this.#asked, reach: whole, declared: action.type === "call" ? this.#options.riskOf?.(action.name) : undefined }) };
  }

  /** Adds what is written on whatever an action presses, where that makes a difference: when nobody would be asked otherwise. */
  async #withLabel(action: Action, judged: Judgement, { readLabel }: StepInfo, signal: AbortSignal): Promise<Judgement> {
    const place = pressedPlace(action, judged.reach.points);
    if (this.#options.confirm !== "risky" || judged.class === "risky" || judged.denied !== undefined || !place || !readLabel) return judged;
    const reading = await readLabel(place, signal);
    const risks = reading ? labelRisks(reading, this.#asked) : [];
    return risks.length > 0 ? { ...judged, class: "risky", risks } : judged;
  }

  /** The windows an action lands on; undefined for one that nobody can tell. */
  async #windowsOf(action: Action, points: readonly Point[]): Promise<(WindowInfo | undefined)[]> {
    const { windows } = this.#options.computer;
    const find = async (look: () => Promise<WindowInfo | undefined>) => {
      try {
        return await look();
      } catch (error) {
        log.warn({ err: error }, "the window of an action could not be found");
        return undefined;
      }
    };
    if (isForKeyboard(action)) return [windows && (await find(() => windows.focused()))];
    return Promise.all(points.map(async (point) => windows && (await find(() => windows.at(point)))));
  }

  #mustAsk({ class: riskClass }: Judgement): boolean {
    const { confirm } = this.#options;
    return confirm === "always" ? riskClass !== "harmless" : confirm === "risky" && riskClass === "risky";
  }

  async #askPerson(action: Action, { step }: StepInfo, { reach, risks }: Judgement, signal: AbortSignal): Promise<{ refused?: string; outdated?: string }> {
    const { approver, computer } = this.#options;
    const why = risks.length > 0 ? `, because it ${risks.map((risk) => risk.why).join(", and it ")}` : "";
    if (!approver) return { refused: `This has to be approved by a person${why}, and there is nobody to ask.` };
    const [window] = reach.windows;
    const ends = endsOf(reach.points);
    const seal = await TargetSeal.take(computer, ends, window, signal);
    const cursor = await computer.cursor();
    const verdict = await approver.approve({ step, action, description: describeReach(action, window), risks, window, target: ends[0], ...(await seal.view()) }, signal);
    signal.throwIfAborted();
    if (verdict.kind === "stop") throw new Interruption("person", `Stopped by a person${verdict.reason ? `: ${verdict.reason}` : ""}.`);
    if (verdict.kind === "refuse") return { refused: `A person refused this${verdict.reason ? `: ${verdict.reason}` : ""}.` };
    // The mouse may have been used to answer; an action without a place of its own happens where it was.
    const moved = await computer.cursor();
    if (ends.length > 0 && (moved.x !== cursor.x || moved.y !== cursor.y)) await computer.move(cursor);
    const broken = await seal.whyBroken(signal);
    return broken === undefined ? {} : { outdated: `It was approved, but meanwhile ${broken}.` };
  }

  async #keepRates(action: Action, signal: AbortSignal): Promise<string | undefined> {
    const characters = action.type === "type" ? [...action.text].length : 0;
    if (this.#characterRate && !this.#characterRate.allows(characters)) return `The capability file allows no text of ${characters} characters, because that is more than a minute's worth.`;
    if (characters > 0) await this.#characterRate?.take(characters, signal);
    await this.#actionRate?.take(1, signal);
    return undefined;
  }

  #remember(action: Action, { typedSoFar, chords }: Reach): void {
    if (action.type === "key_down") this.#heldKeys = namesOf([...this.#heldKeys, ...action.keys]);
    if (action.type === "key_up") {
      const released = new Set(namesOf(action.keys));
      this.#heldKeys = this.#heldKeys.filter((name) => !released.has(name));
    }
    // Return, Tab and clicks may go to another field.
    const leaves = action.type === "click" || action.type === "mouse_down" || chords.some(({ keys }) => keys.includes("enter") || keys.includes("tab"));
    this.#typed = leaves ? "" : typedSoFar.slice(-MAX_TYPED);
  }
}

function namesOf(keys: readonly string[]): string[] {
  const chord = toChord(keys);
  return [...chord.modifiers, ...chord.keys];
}

function endsOf(points: readonly Point[]): Point[] {
  return points.length <= 1 ? [...points] : [points[0]!, points.at(-1)!];
}
