import type { Action, Point } from "../actions.js";
import type { Computer, WindowInfo } from "../computer/computer.js";
import { AROUND_PX, sameAround, type Frame } from "./target-box.js";

/**
 * After so many fresh looks in a row an action is done all the same. A place that never keeps still (a film, an animation) looks otherwise
 * at every look, and the model has just seen it; a pop-up or a window that moved is there at the next look. What may do harm is asked
 * about even so, and that approval holds for the pixels alone.
 */
export const MAX_FRESH_LOOKS = 2;

/** Of a later target of a step: the target itself. Its neighbours may show what the step typed before. */
const TARGET_PX = 16;

/** A screen on which actions were decided, where the pointer was on it, and the window that keys would have gone to. */
export interface SeenFrame extends Frame {
  cursor: Point;
  focused?: WindowInfo | undefined;
}

/**
 * Why a screen on which actions were decided is no longer what is there, as far as the next of them aims at it; undefined when it is. One
 * more capture is made, of which only the surroundings of targets are compared. Nothing is waited for. Where nothing is aimed at, nothing
 * is captured.
 * @param done how many of them were done: before the first all targets count, and where keys would go
 */
export async function whyStale(computer: Computer, seen: SeenFrame, actions: readonly Action[], done: number, signal: AbortSignal): Promise<string | undefined> {
  if (done === 0 && (await keysGoElsewhere(computer, seen, actions))) return "Another window took the keyboard before the action";
  const cursor = done === 0 ? await computer.cursor() : seen.cursor;
  const targets = done === 0 ? targetsOf(actions, cursor) : untouched(actions, done, cursor);
  if (targets.length === 0) return undefined;
  const changed = "The screen changed at the target before the action";
  const { x, y, width, height } = await computer.display();
  const then = seen.display;
  // A window that is shown alone looks the same wherever it moves; what aims at it does not move along.
  if (x !== then.x || y !== then.y || width !== then.width || height !== then.height) return changed;
  return sameAround(targets, seen, await computer.capture(signal), done === 0 ? AROUND_PX : TARGET_PX) ? undefined : changed;
}

/**
 * Where the next action aims, but for the places that the step has changed itself: around everything it aimed at before, and where the
 * pointer was. Anything else that has changed, be it the step's own doing, the model has not seen: a dialog that its first click has opened
 * is not what its second click was meant for.
 */
function untouched(actions: readonly Action[], done: number, cursor: Point): Point[] {
  const before = actions.slice(0, done);
  // What lies under something that is being dragged changes with every move.
  if (before.findLast(({ type }) => type === "mouse_down" || type === "mouse_up")?.type === "mouse_down") return [];
  const touched = [cursor, ...targetsOf(before, cursor)];
  const isTouched = (place: Point) => touched.some(({ x, y }) => Math.abs(x - place.x) <= AROUND_PX && Math.abs(y - place.y) <= AROUND_PX);
  return targetsOf([actions[done]!], touched.at(-1)!).filter((place) => !isTouched(place));
}

/** What is typed would land in a pop-up that has come. Behind a click this is not known: it may be there to give the keys to another window. */
async function keysGoElsewhere({ windows }: Computer, { focused }: SeenFrame, actions: readonly Action[]): Promise<boolean> {
  const [first] = actions.filter((action) => usesKeys(action) || placesOf(action, { x: 0, y: 0 }).length > 0);
  if (!windows || !focused || !first || !usesKeys(first)) return false;
  const now = await windows.focused();
  return now !== undefined && now.id !== focused.id;
}

function usesKeys({ type }: Action): boolean {
  return type === "type" || type === "key" || type === "hold_key" || type === "key_down";
}

/** Everything that actions aim at with the mouse. An action without a place of its own happens where the one before it left the pointer. */
function targetsOf(actions: readonly Action[], cursor: Point): Point[] {
  let pointer = cursor;
  return actions.flatMap((action) => {
    const places = placesOf(action, pointer);
    pointer = places.at(-1) ?? pointer;
    return places;
  });
}

function placesOf(action: Action, pointer: Point): Point[] {
  switch (action.type) {
    case "click":
    case "scroll":
    case "mouse_down":
    case "mouse_up":
      return [action.at ?? pointer];
    case "move":
      return [action.to];
    case "drag":
      return [action.from ?? pointer, ...(action.via ?? []), action.to];
    default:
      return [];
  }
}
