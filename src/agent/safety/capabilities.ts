import type { Action, Point } from "../actions.js";
import type { WindowInfo } from "../computer/computer.js";
import { describeAction } from "../describe.js";
import type { CapabilityFile } from "./capability-file.js";
import { isModifier, spellChord, toChord, typedCharacter, type Chord } from "./chords.js";
import { secretNames } from "./secret-text.js";

/** Everything about an action that a capability file may speak of. */
export interface Reach {
  /** Where the pointer acts, along the way of a drag too. */
  points: readonly Point[];
  /** The windows it acts on: those under the points, or the one that has the keys; undefined for one that nobody knows. */
  windows: readonly (WindowInfo | undefined)[];
  /** What is pressed, with what is down already. */
  chords: readonly Chord[];
  /** What it types, without Return and Tab. */
  texts: readonly string[];
  /** What was typed in one go before, and this. */
  typedSoFar: string;
}

/** What a capability file makes of actions. */
export class Capabilities {
  readonly #file: CapabilityFile;

  constructor(file: CapabilityFile) {
    this.#file = file;
  }

  /** Whether it matters on which window an action would land. */
  get speaksOfWindows(): boolean {
    const { applications, windows, secrets } = this.#file;
    return applications !== undefined || windows !== undefined || secrets !== undefined;
  }

  get rates(): NonNullable<CapabilityFile["rates"]> {
    return this.#file.rates ?? {};
  }

  /** Why an action is denied, in words that go on from "the capability file allows"; undefined when it is not. */
  whyDenied(action: Action, reach: Reach): string | undefined {
    return this.#deniedWindow(reach) ?? this.#deniedPlace(reach) ?? this.#deniedChord(reach) ?? this.#deniedText(reach) ?? this.#deniedSecret(action, reach) ?? this.#deniedFunction(action);
  }

  #deniedWindow({ windows }: Reach): string | undefined {
    const { applications, windows: titles } = this.#file;
    if (!applications && !titles) return undefined;
    for (const window of windows) {
      if (!window) return "no action whose window is not known";
      if (applications && !permits(applications, (glob) => window.applications.some((name) => matches(glob, name)))) return `nothing in ${window.applications.length > 0 ? `the application ${quote(window.applications)}` : "an application that is not known"}`;
      if (titles && !permits(titles, (glob) => matches(glob, window.title))) return `nothing in the window ${quote([window.title])}`;
    }
    return undefined;
  }

  #deniedPlace({ points }: Reach): string | undefined {
    const { regions } = this.#file;
    const outside = regions && points.find((point) => !permits(regions, ({ x, y, width, height }) => point.x >= x && point.y >= y && point.x < x + width && point.y < y + height));
    return outside && `no pointer at (${outside.x}, ${outside.y})`;
  }

  #deniedChord({ chords }: Reach): string | undefined {
    const { keys } = this.#file;
    const denied = keys && chords.find((chord) => typedCharacter(chord) === undefined && !permits(keys, (pattern) => matchesChord(pattern, chord)));
    return denied && `no ${spellChord(denied)}`;
  }

  #deniedText({ texts, typedSoFar }: Reach): string | undefined {
    const { text } = this.#file;
    if (!text || texts.length === 0) return undefined;
    const denied = text.deny.find((pattern) => new RegExp(pattern, "u").test(typedSoFar));
    if (denied !== undefined) return `no text that matches ${denied}`;
    const other = texts.find((typed) => !text.allow.some((pattern) => new RegExp(`^(?:${pattern})$`, "us").test(typed)));
    return other === undefined ? undefined : `no text like ${JSON.stringify(other)}`;
  }

  #deniedFunction(action: Action): string | undefined {
    const { functions } = this.#file;
    return functions && action.type === "call" && !permits(functions, (glob) => matches(glob, action.name)) ? `no call of ${action.name}` : undefined;
  }

  #deniedSecret(action: Action, { windows }: Reach): string | undefined {
    const { secrets } = this.#file;
    if (!secrets || action.type !== "type") return undefined;
    for (const name of secretNames(action.text)) {
      const rule = Object.hasOwn(secrets, name) ? secrets[name] : undefined;
      if (!rule) return `the secret ${name} nowhere`;
      const [window] = windows;
      const fits = (globs: string[] | undefined, names: string[]) => globs === undefined || globs.some((glob) => names.some((name) => matches(glob, name)));
      if (!fits(rule.applications, window?.applications ?? []) || !fits(rule.windows, window ? [window.title] : [])) return `the secret ${name} not in ${window ? `${describeWindow(window)}` : "a window that is not known"}`;
    }
    return undefined;
  }
}

/** An action's own reach, before anyone asks where the windows are. @param cursor where the pointer is */
export function reachOf(action: Action, { cursor, heldKeys, typedBefore }: { cursor: Point; heldKeys: readonly string[]; typedBefore: string }): Omit<Reach, "windows"> {
  const chords = chordsOf(action, heldKeys);
  const characters = chords.flatMap((chord) => typedCharacter(chord) ?? []);
  const texts = action.type === "type" ? action.text.split(/[\r\n\t]+/).filter((part) => part !== "") : characters;
  const typed = action.type === "type" ? action.text : characters.join("");
  return { points: pointsOf(action, cursor), chords, texts, typedSoFar: typedBefore + typed };
}

/** Whether an action goes where the keys go. */
export function isForKeyboard(action: Action): boolean {
  return action.type === "type" || action.type === "key" || action.type === "hold_key" || action.type === "key_down";
}

export function describeWindow({ applications, title }: WindowInfo): string {
  return applications.length > 0 ? `${quote([title])} of ${quote(applications)}` : quote([title]);
}

/** An action in words, and where it would land. */
export function describeReach(action: Action, window: WindowInfo | undefined): string {
  return window ? `${describeAction(action)} in ${describeWindow(window)}` : describeAction(action);
}

function chordsOf(action: Action, heldKeys: readonly string[]): Chord[] {
  switch (action.type) {
    case "key":
    case "hold_key":
    case "key_down":
      return [toChord(action.keys, heldKeys)];
    case "type":
      return textChords(action.text, heldKeys);
    case "click":
    case "drag":
    case "move":
    case "scroll":
      return action.held ? [toChord(action.held, heldKeys)] : [];
    default:
      return [];
  }
}

/** Return and Tab; and while a key is down that makes commands of letters, each of these. */
function textChords(text: string, heldKeys: readonly string[]): Chord[] {
  const commanding = heldKeys.length > 0 && toChord(heldKeys).modifiers.some((name) => name !== "shift" && name !== "altgr");
  const keys = [...new Set(commanding ? [...text] : (text.match(/[\r\n\t]/g) ?? []))];
  return keys.map((char) => toChord([char], heldKeys));
}

/** Places a straight line is looked at. */
const SAMPLES = 32;

function pointsOf(action: Action, cursor: Point): Point[] {
  switch (action.type) {
    case "click":
    case "scroll":
    case "mouse_down":
    case "mouse_up":
      return [action.at ?? cursor];
    case "move":
      return [action.to];
    case "drag": {
      const corners = [action.from ?? cursor, ...(action.via ?? []), action.to];
      return corners.slice(1).flatMap((to, index) => line(corners[index]!, to));
    }
    default:
      return [];
  }
}

function line(from: Point, to: Point): Point[] {
  return Array.from({ length: SAMPLES + 1 }, (_, step) => ({ x: Math.round(from.x + ((to.x - from.x) * step) / SAMPLES), y: Math.round(from.y + ((to.y - from.y) * step) / SAMPLES) }));
}

function permits<T>({ allow, deny }: { allow: T[]; deny: T[] }, fits: (entry: T) => boolean): boolean {
  return allow.some(fits) && !deny.some(fits);
}

function matches(glob: string, text: string): boolean {
  const pattern = glob.replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*").replaceAll("?", ".");
  return new RegExp(`^${pattern}$`, "isu").test(text);
}

function matchesChord(pattern: string, chord: Chord): boolean {
  if (pattern === "*") return true;
  const anyKey = pattern.endsWith("+*");
  const wanted = toChord([anyKey ? pattern.slice(0, -2) : pattern]);
  const [a, b] = [spellChord(wanted), spellChord(chord)];
  return a === b || (anyKey && chord.keys.every((key) => !isModifier(key)) && wanted.modifiers.join() === chord.modifiers.join());
}

function quote(names: readonly string[]): string {
  return names.map((name) => JSON.stringify(name)).join("/");
}
