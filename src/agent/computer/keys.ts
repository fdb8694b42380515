import type { Key } from "@nut-tree-fork/nut-js";
import { DeskhandError } from "../../core/errors.js";

/** A key with a name of its own. Everything else in a chord is a character. */
export interface NamedKey {
  name: string;
  /** nut-js' name for it; absent when nut-js has none. */
  nut?: keyof typeof Key;
  /** X11 keysyms, the best first; the first that the keyboard has is pressed (X11/keysymdef.h, XF86keysym.h). */
  keysyms: readonly [number, ...number[]];
  modifier: boolean;
}

export type ChordKey = { kind: "named"; key: NamedKey } | { kind: "char"; char: string };

const keysByName = new Map<string, NamedKey>();
/** Spellings as they are shown in error messages. */
const spellings: string[] = [];

function define(names: string, nut: keyof typeof Key | undefined, keysyms: readonly [number, ...number[]], modifier = false): void {
  const all = names.split(" ");
  const key: NamedKey = { name: all[0] ?? names, nut, keysyms, modifier };
  for (const name of all) keysByName.set(normalise(name), key);
  spellings.push(...all);
}

// Names as they occur in xdotool (keysym names), the browsers' KeyboardEvent (`key` and `code`), pyautogui and the models' own schemas.
const MODIFIER = true;
define("ctrl control Control_L ctrl_l ctrlleft ControlLeft lctrl", "LeftControl", [0xffe3], MODIFIER);
define("Control_R ctrl_r ctrlright ControlRight rctrl", "RightControl", [0xffe4], MODIFIER);
define("shift Shift_L shiftleft ShiftLeft lshift", "LeftShift", [0xffe1], MODIFIER);
define("Shift_R shiftright ShiftRight rshift", "RightShift", [0xffe2], MODIFIER);
define("alt option opt Alt_L altleft AltLeft lalt optionleft", "LeftAlt", [0xffe9, 0xffe7], MODIFIER);
define("Alt_R altright AltRight ralt optionright", "RightAlt", [0xffea, 0xfe03], MODIFIER);
define("altgr AltGraph ISO_Level3_Shift", "RightAlt", [0xfe03, 0xffea], MODIFIER);
define("super cmd command meta win windows Super_L winleft MetaLeft Meta_L OSLeft lwin", "LeftSuper", [0xffeb, 0xffe7], MODIFIER);
define("Super_R winright MetaRight Meta_R OSRight rwin", "RightSuper", [0xffec, 0xffe8], MODIFIER);
define("fn function", "Fn", [0x100811d0], MODIFIER);
define("enter return Return linefeed newline", "Return", [0xff0d]);
define("KP_Enter numpadenter NumpadEnter numenter", "Enter", [0xff8d]);
define("tab", "Tab", [0xff09]);
define("space spacebar", "Space", [0x20]);
define("esc escape", "Escape", [0xff1b]);
define("backspace back", "Backspace", [0xff08]);
define("delete del forwarddelete", "Delete", [0xffff]);
define("insert ins", "Insert", [0xff63]);
define("home", "Home", [0xff50]);
define("end", "End", [0xff57]);
define("pageup pgup Page_Up Prior", "PageUp", [0xff55]);
define("pagedown pgdn pgdown Page_Down Next", "PageDown", [0xff56]);
define("left arrowleft leftarrow", "Left", [0xff51]);
define("up arrowup uparrow", "Up", [0xff52]);
define("right arrowright rightarrow", "Right", [0xff53]);
define("down arrowdown downarrow", "Down", [0xff54]);
define("capslock Caps_Lock caps", "CapsLock", [0xffe5]);
define("numlock Num_Lock", "NumLock", [0xff7f]);
define("scrolllock Scroll_Lock", "ScrollLock", [0xff14]);
define("printscreen Print prtsc prtscr prntscrn sysrq", "Print", [0xff61]);
define("pause break", undefined, [0xff13]);
define("menu ContextMenu apps context", "Menu", [0xff67]);
define("clear", "Clear", [0xff0b]);
define("help", undefined, [0xff6a]);
define("volumeup AudioVolumeUp XF86AudioRaiseVolume", "AudioVolUp", [0x1008ff13]);
define("volumedown AudioVolumeDown XF86AudioLowerVolume", "AudioVolDown", [0x1008ff11]);
define("volumemute AudioVolumeMute mute XF86AudioMute", "AudioMute", [0x1008ff12]);
define("playpause MediaPlayPause XF86AudioPlay", "AudioPlay", [0x1008ff14]);
define("nexttrack MediaTrackNext XF86AudioNext", "AudioNext", [0x1008ff17]);
define("prevtrack MediaTrackPrevious XF86AudioPrev", "AudioPrev", [0x1008ff16]);
for (let n = 1; n <= 24; n++) define(`f${n}`, `F${n}` as keyof typeof Key, [0xffbe + n - 1]);
for (let n = 0; n <= 9; n++) define(`KP_${n} numpad${n} num${n} kp${n}`, `NumPad${n}` as keyof typeof Key, [0xffb0 + n]);
define("KP_Add numpadadd add", "Add", [0xffab]);
define("KP_Subtract numpadsubtract subtract", "Subtract", [0xffad]);
define("KP_Multiply numpadmultiply multiply", "Multiply", [0xffaa]);
define("KP_Divide numpaddivide divide", "Divide", [0xffaf]);
define("KP_Decimal numpaddecimal decimal", "Decimal", [0xffae]);
define("KP_Equal numpadequal", "NumPadEqual", [0xffbd]);

/** Keysym and everyday names of characters. */
const CHARACTERS: Readonly<Record<string, string>> = {
  plus: "+", minus: "-", hyphen: "-", dash: "-", equal: "=", equals: "=", comma: ",", period: ".", dot: ".", slash: "/", backslash: "\\",
  semicolon: ";", colon: ":", apostrophe: "'", quote: "'", quoteright: "'", quotedbl: '"', doublequote: '"', grave: "`", backquote: "`", quoteleft: "`",
  bracketleft: "[", bracketright: "]", braceleft: "{", braceright: "}", parenleft: "(", parenright: ")", less: "<", greater: ">",
  exclam: "!", at: "@", numbersign: "#", hash: "#", dollar: "$", percent: "%", asciicircum: "^", caret: "^", ampersand: "&",
  asterisk: "*", star: "*", underscore: "_", bar: "|", pipe: "|", question: "?", asciitilde: "~", tilde: "~",
};

/**
 * The keys of one chord. An element may itself be joined by plus signs (`ctrl+a`). A letter next to other keys means its key, in
 * either case (`Ctrl+A` is `ctrl+a`; write `shift` for the other); a letter alone is typed as it is written.
 * @throws DeskhandError `invalid_argument` for an unknown key, naming the nearest known ones.
 */
export function resolveChord(keys: readonly string[]): ChordKey[] {
  const parts = keys.flatMap(split);
  if (parts.length === 0) throw new DeskhandError("invalid_argument", 'Expected at least one key but received none; give for example ["ctrl", "a"].', { param: "keys" });
  const chord = parts.map((part) => resolve(part, parts.length === 1));
  const ids = chord.map(keyId);
  const twice = ids.find((id, index) => ids.indexOf(id) < index);
  if (twice !== undefined) throw new DeskhandError("invalid_argument", `Expected each key of a chord once but received ${twice} twice; press it again in an action of its own.`, { param: "keys" });
  return chord;
}

/** The same for every spelling of a key. */
export function keyId(key: ChordKey): string {
  return key.kind === "named" ? key.key.name : `'${key.char}'`;
}

/** `ctrl+a` → ctrl, a; `ctrl++` → ctrl, +; `+` → +. */
function split(chord: string): string[] {
  if ([...chord].length <= 1) return [chord];
  const parts = chord.endsWith("++") ? [...chord.slice(0, -2).split("+"), "+"] : chord.split("+");
  return parts.map((part) => part.trim());
}

function resolve(name: string, alone: boolean): ChordKey {
  if (name === " ") return resolve("space", alone);
  if (name === "\n" || name === "\r") return resolve("enter", alone);
  if (name === "\t") return resolve("tab", alone);
  if ([...name].length === 1) return { kind: "char", char: alone ? name : lower(name) };
  const normal = normalise(name);
  const key = keysByName.get(normal);
  if (key) return { kind: "named", key };
  const char = CHARACTERS[normal] ?? /^(?:key|digit)([a-z0-9])$/.exec(normal)?.[1];
  if (char !== undefined) return { kind: "char", char };
  throw new DeskhandError("invalid_argument", `Expected a key name but received ${JSON.stringify(name)}; the nearest known ones are ${nearest(normal).join(", ")}.`, { param: "keys" });
}

/** Lower case where that is one character again (not so for `İ`). */
function lower(char: string): string {
  const low = char.toLowerCase();
  return [...low].length === 1 ? low : char;
}

function normalise(name: string): string {
  return name.toLowerCase().replace(/[\s_-]/g, "");
}

function nearest(name: string): string[] {
  const candidates = [...spellings, ...Object.keys(CHARACTERS)].map((spelling) => ({ spelling, distance: editDistance(name, normalise(spelling)) }));
  return candidates.sort((a, b) => a.distance - b.distance).slice(0, 3).map(({ spelling }) => spelling);
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
