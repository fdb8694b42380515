import type { Action, Point } from "../actions.js";

/** A model that aims at the same thing again hits it a little beside. */
export const DEFAULT_TOLERANCE_PX = 5;

/** Two actions at the same place of their steps, and in what they differ. */
export interface ActionComparison {
  recorded?: Action;
  today?: Action;
  /** The longest way between a point of the one and the same point of the other, in logical pixels; absent where neither has any. */
  distancePx?: number;
  /** What differs, e.g. `kind`, `place`, `text`; empty when they are the same. */
  differences: string[];
}

export interface CompareOptions {
  /** Where the pointer was before either. */
  pointer: Point;
  /** Points this close are the same. */
  tolerancePx: number;
  /** Whether words that only people read count too. */
  words: boolean;
}

/** What people are told, which a model may put in one way or another. */
const WORDS = new Set(["message", "question"]);

/** Compares two steps, action by action. */
export function compareActions(recorded: readonly Action[], today: readonly Action[], options: CompareOptions): ActionComparison[] {
  const [then, now] = [placed(recorded, options.pointer), placed(today, options.pointer)];
  return Array.from({ length: Math.max(then.length, now.length) }, (_, index) => compare(then[index], now[index], options));
}

/** An action with all its points said, those at the pointer too. */
interface Placed {
  action: Action;
  points: Point[];
}

function placed(actions: readonly Action[], pointer: Point): Placed[] {
  let at = pointer;
  return actions.map((action) => {
    const points = pointsOf(action, at);
    if (action.type !== "zoom") at = points.at(-1) ?? at;
    return { action, points };
  });
}

function pointsOf(action: Action, pointer: Point): Point[] {
  switch (action.type) {
    case "drag":
      return [action.from ?? pointer, ...(action.via ?? []), action.to];
    case "move":
      return [action.to];
    case "zoom": {
      const { x, y, width, height } = action.region;
      return [{ x, y }, { x: x + width, y: y + height }];
    }
    case "click":
    case "mouse_down":
    case "mouse_up":
    case "scroll":
      return [action.at ?? pointer];
    default:
      return [];
  }
}

function compare(then: Placed | undefined, now: Placed | undefined, { tolerancePx, words }: CompareOptions): ActionComparison {
  const both = { recorded: then?.action, today: now?.action };
  if (!then || !now) return { ...both, differences: [then ? "missing" : "added"] };
  if (then.action.type !== now.action.type) return { ...both, differences: ["kind"] };
  const differences = fieldsThatDiffer(then.action, now.action).filter((field) => words || !WORDS.has(field));
  if (then.points.length !== now.points.length) return { ...both, differences: ["way", ...differences] };
  if (then.points.length === 0) return { ...both, differences };
  const distancePx = Math.max(...then.points.map((point, index) => Math.hypot(point.x - now.points[index]!.x, point.y - now.points[index]!.y)));
  return { ...both, distancePx, differences: distancePx > tolerancePx ? ["place", ...differences] : differences };
}

/** Fields with points, which are compared by their distance. */
const PLACES = new Set(["at", "from", "via", "to", "region"]);

function fieldsThatDiffer(a: Action, b: Action): string[] {
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  const fields = [...new Set([...Object.keys(left), ...Object.keys(right)])].filter((field) => !PLACES.has(field));
  return fields.filter((field) => JSON.stringify(left[field]) !== JSON.stringify(right[field]));
}
