import type { Action, Point } from "../actions.js";

/** A model that aims at the same thing again hits it a little beside. */
const SAME_PLACE_PX = 5;

/** Whether two steps do the same: points within 5 px of each other are one, everything else has to be equal. */
export function sameActions(a: readonly Action[], b: readonly Action[]): boolean {
  return a.length === b.length && a.every((action, index) => same(action, b[index]));
}

function same(a: unknown, b: unknown): boolean {
  if (isPoint(a) && isPoint(b)) return Math.abs(a.x - b.x) <= SAME_PLACE_PX && Math.abs(a.y - b.y) <= SAME_PLACE_PX;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...keys].every((key) => same(left[key], right[key]));
}

function isPoint(value: unknown): value is Point {
  return typeof value === "object" && value !== null && "x" in value && "y" in value && typeof value.x === "number" && typeof value.y === "number";
}

/** Where a step aims last, if anywhere. */
export function targetOf(actions: readonly Action[]): Point | undefined {
  return actions.map(pointOf).findLast((point) => point !== undefined);
}

function pointOf(action: Action): Point | undefined {
  if ("to" in action) return action.to;
  return "at" in action ? action.at : undefined;
}
