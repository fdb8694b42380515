import type { OpenedComputer } from "../../src/agent/computer/index.js";
import type { Point } from "../../src/agent/actions.js";
import { until } from "../support/desktop.js";

/** Left, top, right and bottom in pixels of the screen. */
export type Box = readonly [number, number, number, number];

export interface Element {
  kind: string;
  name: string;
  box: Box;
  /** The part of it that is taken hold of: a slider's knob, the square of a check box. */
  indicator?: Box;
}

export interface Report {
  windows: { title: string; active: boolean; role: string }[];
  elements: Element[];
}

export interface SceneEvent {
  kind: "press" | "release" | "scroll" | "key_down" | "key_up";
  /** What the pointer was on. */
  on?: string;
  button?: string;
  /** 2 for the second press of a double click, where the toolkit tells. */
  count?: number;
  held: string[];
  /** Wheel clicks to the right and down. */
  dx?: number;
  dy?: number;
  key?: string;
  /** Of the event, in milliseconds from any beginning. */
  time?: number;
}

/** What an application says of itself. */
export interface State {
  values: Record<string, unknown>;
  /** Buttons, in the order in which they were pressed. */
  pressed: string[];
  events: SceneEvent[];
  /** The pointer's way while a button was down. */
  strokes: { button: string; points: [number, number][] }[];
  pointer: [number, number] | null;
  on: string;
  volume: number;
  /** From 0 to 1. */
  scrolled: { x: number; y: number };
  selection: string;
  /** A shell's commands. */
  commands: { text: string; code: number }[];
}

export const APPLICATIONS = ["gtk", "qt", "tk", "web", "terminal"] as const;
export type ApplicationName = (typeof APPLICATIONS)[number];

/** A running application that reports its own state. */
export interface Scene extends AsyncDisposable {
  /** A command of the application: test/tasks/applications/workbench.py. */
  ask(command: string, given?: Record<string, unknown>): Promise<unknown>;
}

export async function stateOf(scene: Scene): Promise<State> {
  return (await scene.ask("state")) as State;
}

export async function reportOf(scene: Scene): Promise<Report> {
  return (await scene.ask("report")) as Report;
}

/** The element of this name; of several the smallest, which is the thing itself and not what holds it. */
export function elementOf({ elements }: Report, name: string): Element {
  const area = ({ box: [left, top, right, bottom] }: Element) => (right - left) * (bottom - top);
  const [found] = elements.filter((element) => element.name === name && element.kind !== "label").sort((a, b) => area(a) - area(b));
  if (!found) throw new Error(`Expected ${name} to be shown but there are ${elements.map((element) => element.name).join(", ")}.`);
  return found;
}

/** Waits until the application has the keyboard: the X server's word and its own. */
export async function untilReady(scene: Scene, { computer }: OpenedComputer): Promise<void> {
  await until("the application has the keyboard", async () => {
    const { windows } = await reportOf(scene);
    const focused = await computer.windows?.focused();
    return windows.some(({ active, title }) => active && title === focused?.title);
  }, 20_000);
}

export function middle([left, top, right, bottom]: Box): Point {
  return { x: Math.floor((left + right) / 2), y: Math.floor((top + bottom) / 2) };
}
