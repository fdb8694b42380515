import { resolveChord, type ChordKey } from "../computer/keys.js";

/** Modifiers in the order in which people write them; the right-hand keys are the same. */
const MODIFIERS = ["ctrl", "alt", "altgr", "shift", "super", "fn"] as const;
type Modifier = (typeof MODIFIERS)[number];

const SIDES: Readonly<Record<string, Modifier>> = { Control_R: "ctrl", Alt_R: "alt", Shift_R: "shift", Super_R: "super" };
const SAME_KEYS: Readonly<Record<string, string>> = { KP_Enter: "enter" };

/** A chord with one spelling, whatever the model's was. */
export interface Chord {
  modifiers: readonly Modifier[];
  /** Everything else that is pressed; usually one key, none for a modifier alone. */
  keys: readonly string[];
}

/**
 * @param held keys that are down already
 * @throws DeskhandError `invalid_argument` for an unknown key.
 */
export function toChord(keys: readonly string[], held: readonly string[] = []): Chord {
  const all = [...(held.length > 0 ? resolveChord(held) : []), ...resolveChord(keys)];
  // A letter beside other keys means its key, not a capital.
  const names = new Set(all.map((key) => nameOf(key, all.length > 1)));
  return { modifiers: MODIFIERS.filter((name) => names.has(name)), keys: [...names].filter((name) => !isModifier(name)) };
}

/** E.g. `ctrl+shift+t`. */
export function spellChord({ modifiers, keys }: Chord): string {
  return [...modifiers, ...keys].join("+");
}

/** The character that a chord types, if it types one. */
export function typedCharacter({ modifiers, keys }: Chord): string | undefined {
  const [key] = keys;
  const types = keys.length === 1 && modifiers.every((name) => name === "shift" || name === "altgr");
  if (!types || key === undefined) return undefined;
  if (key === "space") return " ";
  if ([...key].length > 1) return undefined;
  return modifiers.includes("shift") ? key.toUpperCase() : key;
}

export function isModifier(name: string): name is Modifier {
  return (MODIFIERS as readonly string[]).includes(name);
}

function nameOf(key: ChordKey, beside: boolean): string {
  if (key.kind === "char") return beside ? key.char.toLowerCase() : key.char;
  const { name } = key.key;
  return SIDES[name] ?? SAME_KEYS[name] ?? name;
}
