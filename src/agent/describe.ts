import type { Action, MouseButton, Point } from "./actions.js";

const CLICKS = ["click", "double click", "triple click"];

/** A step's actions in a few words, for people, where the model itself says nothing about them. */
export function describeActions(actions: readonly { action: Action }[]): string {
  return actions.map(({ action }) => describeAction(action)).join(", then ");
}

/** An action in a few words, for people. */
export function describeAction(action: Action): string {
  switch (action.type) {
    case "click":
      return `${button(action)}${CLICKS[action.count - 1]}${where(action.at)}${held(action)}`;
    case "move":
      return `move to ${point(action.to)}${held(action)}`;
    case "drag":
      return `${button(action)}drag ${action.from ? `from ${point(action.from)} ` : ""}${(action.via ?? []).map((at) => `over ${point(at)} `).join("")}to ${point(action.to)}${held(action)}`;
    case "mouse_down":
      return `hold the ${action.button} button${where(action.at)}`;
    case "mouse_up":
      return `release the ${action.button} button${where(action.at)}`;
    case "scroll":
      return `scroll ${scrollWords(action.up, action.left)}${where(action.at)}${held(action)}`;
    case "type":
      return `type ${JSON.stringify(action.text)}`;
    case "key":
      return `press ${action.keys.join("+")}`;
    case "hold_key":
      return `hold ${action.keys.join("+")} for ${action.ms / 1000} s`;
    case "key_down":
      return `hold ${action.keys.join("+")}`;
    case "key_up":
      return `release ${action.keys.join("+")}`;
    case "wait":
      return action.ms === 0 ? "nothing to do" : `wait ${action.ms / 1000} s`;
    case "screenshot":
      return "look again";
    case "zoom":
      return `look closely at ${action.region.width} × ${action.region.height} pixels from ${point(action.region)}`;
    case "ask":
      return `ask ${JSON.stringify(action.question)}`;
    case "call":
      return `call ${action.name}(${JSON.stringify(action.arguments)})`;
    case "answer":
      return `answer ${JSON.stringify(action.text)}`;
    case "terminate":
      return action.success ? "done" : "give up";
  }
}

function button({ button }: { button: MouseButton }): string {
  return button === "left" ? "" : `${button} `;
}

function held({ held }: { held?: string[] | undefined }): string {
  return held ? ` with ${held.join("+")} held` : "";
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
  return parts.flatMap(([count, positive, negative]) => (count === 0 ? [] : `${count > 0 ? positive : negative} ${Math.round(Math.abs(count) * 100) / 100}`)).join(" ");
}
