import type { ActionInput } from "../../src/agent/actions.js";
import type { AgentResult } from "../../src/agent/agent.js";
import type { Risk } from "../../src/agent/safety/risk.js";
import type { FamilyName } from "./families.js";
import type { Hands } from "./hands.js";
import type { ApplicationName, Scene, State } from "./scene.js";

/** One step of the oracle: what it does, and the words that a model would say about it. */
export interface Move {
  words: string;
  action: ActionInput;
  /** The same where its target is now. */
  again?(): Promise<Move>;
}

/** The picture that the model was sent: a PNG. */
export type Seen = Buffer;

/** What the end of a run is judged by. */
export interface Outcome {
  /** The application's own state, before and after. */
  before: State;
  after: State;
  ending: Pick<AgentResult, "success" | "stop" | "answer">;
}

/** Something to do on an application, for any agent, with the way to do it and the way to tell whether it was done. */
export interface Task {
  /** The application and what is exercised, e.g. `gtk/drag-slider`. */
  id: string;
  application: ApplicationName;
  /** For the agent. */
  goal: string;
  prepare?(scene: Scene): Promise<void>;
  /** The steps of an agent that makes no mistake; after the last one it says that it is done. Gets to see every picture that a model would. */
  oracle(hands: Hands): AsyncGenerator<Move, void, Seen>;
  /** Never true before anything was done. */
  done(outcome: Outcome): boolean;
  /** The model family whose format the oracle writes; qwen3 unless the action is one that it does not have. */
  family?: FamilyName;
  /** What a person is rightly asked about, in order, and approves. */
  asks?: Risk["kind"][];
  /** What the person says when the agent asks them something. */
  says?: string;
}

/** Whether the values of the controls are as before, but for these, and these buttons and no others were pressed. */
export function changedOnly({ before, after }: Outcome, values: Record<string, unknown>, pressed: string[] = []): boolean {
  return same(after.values, { ...before.values, ...values }) && same(after.pressed, pressed);
}

/** Key events as "+ctrl +a -a -ctrl", whatever the toolkit calls the keys and however often they repeated. */
export function keysOf({ events }: State): string {
  const down = new Set<string>();
  return events
    .filter(({ kind }) => kind === "key_down" || kind === "key_up")
    .filter(({ kind, key, time }, index, keys) => {
      // X repeats a key by letting it go and pressing it at one moment.
      const [before, after] = [keys[index - 1], keys[index + 1]];
      return kind === "key_up" ? !(after?.kind === "key_down" && after.key === key && after.time === time) : !(before?.kind === "key_up" && before.key === key && before.time === time);
    })
    .flatMap(({ kind, key }) => {
      const name = keyName(key!);
      if (kind === "key_up") return down.delete(name) ? [`-${name}`] : [];
      return down.has(name) ? [] : [down.add(name) && `+${name}`];
    })
    .join(" ");
}

function keyName(name: string): string {
  const plain = name.toLowerCase().replace(/_[lr]$/, "");
  return plain === "control" ? "ctrl" : plain;
}

/** How long a key was down, by the times of its events. */
export function heldForMs({ events }: State, name: string): number {
  const of = (kind: string) => events.filter((event) => event.kind === kind && keyName(event.key!) === name).map(({ time }) => time ?? 0);
  return (of("key_up").at(-1) ?? 0) - (of("key_down")[0] ?? 0);
}

/** What of presses a task asks for, e.g. "right on Pad with ctrl, shift". */
export function pressesOf({ events }: State): string[] {
  return events.filter(({ kind }) => kind === "press").map(({ button, on, held }) => `${button} on ${on}${held.length > 0 ? ` with ${held.join(", ")}` : ""}`);
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
