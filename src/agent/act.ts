import { setTimeout as delay } from "node:timers/promises";
import { throwIfAborted } from "../core/errors.js";
import type { Action, MouseButton, Point } from "./actions.js";
import type { Computer } from "./computer/computer.js";

/** Programs begin a drag only after they have seen the pointer travel, and follow it only at their own pace. */
const DRAG_STEPS = 12;
const DRAG_STEP_MS = 10;

/** Does one action. An abort ends it between two events and may leave a button held: the caller releases. */
export async function perform(computer: Computer, action: Action, signal: AbortSignal): Promise<void> {
  throwIfAborted(signal);
  switch (action.type) {
    case "click":
      if (action.at) await computer.move(action.at);
      return computer.click(action.button, action.count);
    case "move":
      return computer.move(action.to);
    case "drag":
      return drag(computer, action.from, action.to, action.button, signal);
    case "scroll":
      if (action.at) await computer.move(action.at);
      return computer.scroll(action.up, action.left);
    case "type":
      return computer.type(action.text, signal);
    case "key":
      return computer.chord(action.keys);
    case "wait":
      if (action.ms > 0) await delay(action.ms, undefined, { signal });
      return;
    case "answer":
    case "terminate":
      return;
  }
}

async function drag(computer: Computer, from: Point | undefined, to: Point, button: MouseButton, signal: AbortSignal): Promise<void> {
  if (from) await computer.move(from);
  const start = await computer.cursor();
  await computer.press(button);
  for (let step = 1; step <= DRAG_STEPS; step++) {
    await delay(DRAG_STEP_MS, undefined, { signal });
    const part = step / DRAG_STEPS;
    await computer.move({ x: Math.round(start.x + (to.x - start.x) * part), y: Math.round(start.y + (to.y - start.y) * part) });
  }
  await delay(DRAG_STEP_MS, undefined, { signal });
  await computer.release(button);
}
