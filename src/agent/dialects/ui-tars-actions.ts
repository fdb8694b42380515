import { DeskhandError } from "../../core/errors.js";
import { Action, type ActionInput, type Point } from "../actions.js";
import type { CoordinateChain } from "../coordinates.js";
import type { ParsedAction } from "./dialect.js";
import { Locator } from "./locator.js";
import type { Literal, PythonCall } from "./python-literals.js";
import { quote } from "./quote.js";

/** One `scroll` of the family's own environments. */
const SCROLL_CLICKS = 5;
/** `wait()` as its prompt explains it. */
const WAIT_MS = 5000;

const SCROLLS: Readonly<Record<string, { up: number } | { left: number }>> = {
  up: { up: SCROLL_CLICKS },
  down: { up: -SCROLL_CLICKS },
  left: { left: SCROLL_CLICKS },
  right: { left: -SCROLL_CLICKS },
};

const START = ["start_box", "start_point", "point", "box"];
const END = ["end_box", "end_point"];

/**
 * One call as canonical actions; two for text that comes with a place.
 * @throws DeskhandError `model_output`.
 */
export function toActions(call: PythonCall, thought: string, chain: CoordinateChain): ParsedAction[] {
  const args = new Arguments(call, chain);
  const inputs = translate(call.name, args, thought);
  args.assertAllUsed();
  return inputs.map((input, index) => ({ action: Action.parse(input), points: index === 0 ? args.locator.points : [] }));
}

function translate(name: string, args: Arguments, thought: string): ActionInput[] {
  switch (name) {
    case "click":
    case "left_single":
    case "left_click":
      return [{ type: "click", at: args.point(START) }];
    case "left_double":
    case "left_double_click":
    case "double_click":
      return [{ type: "click", at: args.point(START), count: 2 }];
    case "right_single":
    case "right_click":
      return [{ type: "click", at: args.point(START), button: "right" }];
    case "middle_click":
      return [{ type: "click", at: args.point(START), button: "middle" }];
    case "hover":
    case "mouse_move":
      return [{ type: "move", to: args.point(START) }];
    case "drag":
    case "select":
      return [{ type: "drag", from: args.point(START), to: args.point(END) }];
    case "hotkey":
      return [{ type: "key", keys: args.keys(["key", "hotkey"]) }];
    case "press":
    case "keydown":
      return [{ type: "key_down", keys: args.keys(["key", "press"]) }];
    case "release":
    case "keyup":
      return [{ type: "key_up", keys: args.keys(["key", "release", "press"]) }];
    case "type": {
      const at = args.optionalPoint(START);
      return [...(at ? [{ type: "click" as const, at }] : []), { type: "type", text: args.text(["content", "text"]) }];
    }
    case "scroll":
      return [{ type: "scroll", at: args.optionalPoint(START), ...args.direction() }];
    case "wait":
      return [{ type: "wait", ms: args.optionalSeconds("time") ?? WAIT_MS }];
    case "finished":
      return [{ type: "terminate", success: true, message: args.optionalText("content") || undefined }];
    case "call_user":
      return [{ type: "ask", question: args.optionalText("content") || thought || "The model asks for your help." }];
    default:
      throw new DeskhandError("model_output", `Expected an action of the action space but received ${name}(…), which does not exist.`);
  }
}

/** The arguments of one call, each to be used once. */
class Arguments {
  readonly locator: Locator;
  readonly #name: string;
  readonly #named: Map<string, Literal>;

  constructor({ name, positional, named }: PythonCall, chain: CoordinateChain) {
    if (positional.length > 0) throw new DeskhandError("model_output", `Expected the arguments of ${name} by name but received ${quote(JSON.stringify(positional))}.`);
    this.locator = new Locator(chain);
    this.#name = name;
    this.#named = new Map(Object.entries(named));
  }

  point(names: readonly string[]): Point {
    const point = this.optionalPoint(names);
    if (point) return point;
    throw this.#expected(names[0]!, undefined);
  }

  optionalPoint(names: readonly string[]): Point | undefined {
    const given = this.#take(names);
    if (given === undefined || given.value === "") return undefined;
    const numbers = pointNumbers(given.value);
    const [x1, y1, x2 = x1, y2 = y1] = numbers;
    if (x1 === undefined || y1 === undefined || x2 === undefined || y2 === undefined || (numbers.length !== 2 && numbers.length !== 4)) throw this.#expected(given.key, given.value);
    return this.locator.point((x1 + x2) / 2, (y1 + y2) / 2);
  }

  /** Separated by spaces, as taught, or joined by plus signs. */
  keys(names: readonly string[]): string[] {
    const { key, value } = this.#take(names) ?? { key: names[0]!, value: undefined };
    if (typeof value !== "string" || value === "") throw this.#expected(key, value);
    const keys = value.split(/\s+/).filter((part) => part !== "");
    return keys.length === 0 ? ["space"] : keys;
  }

  text(names: readonly string[]): string {
    const { key, value } = this.#take(names) ?? { key: names[0]!, value: undefined };
    if (typeof value !== "string") throw this.#expected(key, value);
    return value;
  }

  optionalText(name: string): string | undefined {
    return this.#named.has(name) ? this.text([name]) : undefined;
  }

  optionalSeconds(name: string): number | undefined {
    const given = this.#take([name]);
    if (given === undefined || given.value === "") return undefined;
    const seconds = Number(given.value);
    if (!(seconds >= 0 && seconds <= 60)) throw this.#expected(name, given.value);
    return seconds * 1000;
  }

  direction(): { up: number } | { left: number } {
    const { value } = this.#take(["direction"]) ?? { value: undefined };
    const scroll = typeof value === "string" ? SCROLLS[value.trim().toLowerCase()] : undefined;
    if (!scroll) throw this.#expected("direction", value);
    return scroll;
  }

  assertAllUsed(): void {
    const [left] = this.#named;
    if (left) throw new DeskhandError("model_output", `Expected only arguments that ${this.#name} has but received ${left[0]}=${quote(JSON.stringify(left[1]))}.`);
  }

  #take(names: readonly string[]): { key: string; value: Literal } | undefined {
    const key = names.find((name) => this.#named.has(name));
    if (key === undefined) return undefined;
    const value = this.#named.get(key)!;
    this.#named.delete(key);
    return { key, value };
  }

  #expected(key: string, came: Literal | undefined): DeskhandError {
    return new DeskhandError("model_output", `Expected a ${key} that can be used in ${this.#name} but received ${came === undefined ? "none" : quote(JSON.stringify(came))}.`);
  }
}

/** The numbers of `(x,y)`, `[x1,y1,x2,y2]`, `<point>x y</point>`, `<bbox>x1 y1 x2 y2</bbox>`; none for anything else. */
function pointNumbers(value: Literal): number[] {
  if (Array.isArray(value)) return value.every((item) => typeof item === "number") ? value : [];
  if (typeof value !== "string") return [];
  const bare = value.replace(/<\/?(?:point|bbox)>/g, " ");
  return /^[\s\d.,()[\]-]*$/.test(bare) ? (bare.match(/-?\d+(?:\.\d+)?/g) ?? []).map(Number) : [];
}
