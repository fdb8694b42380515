import type { Action, Point } from "./actions.js";

const CLICKS = ["click", "double click", "triple click"];

/** An action in a few words, for people. */
export function describeAction(action: Action): string {
  switch (action.type) {
    case "click":
      return `${action.button === "left" ? "" : `${action.button} `}${CLICKS[action.count - 1]}${where(action.at)}`;
    case "move":
      return `move to ${point(action.to)}`;
    case "drag":
      return `drag ${action.from ? `from ${point(action.from)} ` : ""}to ${point(action.to)}`;
    case "scroll":
      return `scroll ${scrollWords(action.up, action.left)}${where(action.at)}`;
    case "type":
      return `type ${JSON.stringify(action.text)}`;
    case "key":
      return `press ${action.keys.join("+")}`;
    case "wait":
      return action.ms === 0 ? "nothing to do" : `wait ${action.ms / 1000} s`;
    case "answer":
      return `answer ${JSON.stringify(action.text)}`;
    case "terminate":
      return action.success ? "done" : "give up";
  }
}

function point({ x, y }: Point): string {
  return `(${x}, ${y})`;
}

function where(at: Point | undefined): string {
  return at ? ` at ${point(at)}` : "";
}

function scrollWords(up: number, left: number): string {
  const parts = [
    [up, "up", "down"],
    [left, "left", "right"],
  ] as const;
  return parts.flatMap(([count, positive, negative]) => (count === 0 ? [] : `${count > 0 ? positive : negative} ${Math.abs(count)}`)).join(" ");
}
