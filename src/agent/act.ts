import { setTimeout as delay } from "node:timers/promises";
import { throwIfAborted } from "../core/errors.js";
import type { Action, Point } from "./actions.js";
import type { Computer } from "./computer/computer.js";

/** Programs begin a drag only after they have seen the pointer travel, and follow it only at their own pace. */
const DRAG_STEPS = 12;
const DRAG_STEP_MS = 10;

/**
 * Does one action. Keys held for the length of it are released when it fails or is aborted; a button may stay held then: the caller
 * releases everything at the end of a run.
 */
export async function perform(computer: Computer, action: Action, signal: AbortSignal): Promise<void> {
  throwIfAborted(signal);
  if (!("held" in action) || !action.held) return performUnheld(computer, action, signal);
  await whileHeld(computer, action.held, () => performUnheld(computer, action, signal));
}

async function performUnheld(computer: Computer, action: Action, signal: AbortSignal): Promise<void> {
  throwIfAborted(signal);
  switch (action.type) {
    case "click":
      await goTo(computer, action.at, signal);
      return computer.click(action.button, action.count);
    case "move":
      return computer.move(action.to);
    case "drag":
      return drag(computer, action, signal);
    case "mouse_down":
      await goTo(computer, action.at, signal);
      return computer.press(action.button);
    case "mouse_up":
      await goTo(computer, action.at, signal);
      return computer.release(action.button);
    case "scroll":
      await goTo(computer, action.at, signal);
      return computer.scroll(action.up, action.left);
    case "type":
      return computer.type(action.text, signal);
    case "key":
      return computer.chord(action.keys);
    case "hold_key":
      return whileHeld(computer, action.keys, () => pause(action.ms, signal));
    case "key_down":
      return computer.keyDown(action.keys);
    case "key_up":
      return computer.keyUp(action.keys);
    case "wait":
      if (action.ms > 0) await pause(action.ms, signal);
      return;
    // The loop's own affairs.
    case "screenshot":
    case "zoom":
    case "ask":
    case "call":
    case "answer":
    case "terminate":
      return;
  }
}

/** What was aborted on the way is not done at its end. */
async function goTo(computer: Computer, at: Point | undefined, signal: AbortSignal): Promise<void> {
  if (!at) return;
  await computer.move(at);
  throwIfAborted(signal);
}

async function whileHeld(computer: Computer, keys: string[], work: () => Promise<void>): Promise<void> {
  try {
    await computer.keyDown(keys);
    await work();
  } finally {
    await computer.keyUp(keys);
  }
}

async function drag(computer: Computer, { from, via = [], to, button }: Extract<Action, { type: "drag" }>, signal: AbortSignal): Promise<void> {
  await goTo(computer, from, signal);
  let at = await computer.cursor();
  await computer.press(button);
  const targets = [...via, to];
  const steps = Math.ceil(DRAG_STEPS / targets.length);
  for (const target of targets) {
    for (let step = 1; step <= steps; step++) {
      await pause(DRAG_STEP_MS, signal);
      await computer.move(between(at, target, step / steps));
    }
    at = target;
  }
  await pause(DRAG_STEP_MS, signal);
  await computer.release(button);
}

function between(a: Point, b: Point, part: number): Point {
  return { x: Math.round(a.x + (b.x - a.x) * part), y: Math.round(a.y + (b.y - a.y) * part) };
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal });
}
