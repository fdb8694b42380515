import { spellChord, type Chord } from "./chords.js";

export type ChordHarm = "deletes" | "sends" | "closes" | "system";

const isMac = process.platform === "darwin";

const LISTED: Readonly<Record<Exclude<ChordHarm, "system">, readonly string[]>> = {
  // Delete in a text takes one character away, in a file manager or a mailbox it takes files and mails.
  deletes: ["delete", "shift+delete", "ctrl+delete", "ctrl+shift+delete", ...(isMac ? ["super+backspace", "alt+super+backspace", "shift+super+backspace"] : [])],
  sends: ["ctrl+enter", "super+enter"],
  closes: ["alt+f4", "ctrl+f4", "ctrl+w", "ctrl+shift+w", "ctrl+q", "ctrl+shift+q", ...(isMac ? ["super+w", "super+q", "alt+super+w", "shift+super+w"] : [])],
};

/** Chords that a desktop takes for itself: start menus and launchers, task managers, consoles, ends of sessions. */
const SYSTEM: ReadonlySet<string> = new Set(["alt+f1", "alt+f2", "alt+space", "ctrl+esc", "ctrl+shift+esc", "alt+printscreen", "super", ...(isMac ? ["super+space", "alt+super+esc", "ctrl+super+q", "shift+super+q"] : [])]);

/** What a chord does wherever it is pressed. @param mac whether the Command key is what Ctrl is elsewhere */
export function chordHarm(chord: Chord, mac = isMac): ChordHarm | undefined {
  const spelt = spellChord(chord);
  for (const [harm, chords] of Object.entries(LISTED)) if (chords.includes(spelt)) return harm as ChordHarm;
  const { modifiers, keys } = chord;
  const withSuper = modifiers.includes("super") && !mac;
  const withBoth = modifiers.includes("ctrl") && modifiers.includes("alt") && keys.length > 0;
  return SYSTEM.has(spelt) || withSuper || withBoth ? "system" : undefined;
}
