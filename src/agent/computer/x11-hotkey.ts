import { DeskhandError } from "../../core/errors.js";
import { resolveChord, type ChordKey } from "./keys.js";
import { X11Connection } from "./x11-connection.js";

// X11/X.h
const KEY_PRESS = 2;
const MODIFIER_MASKS: Readonly<Record<string, number>> = { ctrl: 4, Control_R: 4, shift: 1, Shift_R: 1, alt: 8, Alt_R: 8, super: 64, Super_R: 64 };
/** Caps Lock and, by convention, Num Lock: a grab is for one state of these only. */
const LOCKS = [0, 2, 16, 18];

/**
 * Calls back whenever a chord is pressed on an X display, whichever window has the keyboard. It has a connection of its own, so that
 * a busy agent is stopped as quickly as an idle one.
 * @throws DeskhandError `invalid_argument` for keys that this cannot be done with, `display_unavailable` when another program has them.
 */
export async function watchX11Hotkey(displayName: string, keys: readonly string[], onPressed: () => void): Promise<AsyncDisposable> {
  const { keysym, mask } = toGrab(keys);
  const connection = await X11Connection.open(displayName);
  try {
    const keycode = connection.keycodes.first + (await connection.keyboardMapping()).findIndex((keysyms) => keysyms[0] === keysym);
    if (keycode < connection.keycodes.first) throw new DeskhandError("invalid_argument", `Expected keys of this keyboard but it has none for ${keys.join("+")}.`, { param: "stopKeys" });
    connection.onEvent((event) => {
      if (event.type === KEY_PRESS && event.keycode === keycode) onPressed();
    });
    for (const lock of LOCKS) connection.grabKey(keycode, mask | lock);
    await connection.sync().catch((cause: unknown) => {
      throw new DeskhandError("display_unavailable", `Expected ${keys.join("+")} to be free on ${displayName} but another program has taken these keys; choose others.`, { cause });
    });
  } catch (error) {
    connection.close();
    throw error;
  }
  // The server ends the grabs of a connection that closes.
  return { [Symbol.asyncDispose]: async () => connection.close() };
}

function toGrab(keys: readonly string[]): { keysym: number; mask: number } {
  const chord = resolveChord(keys);
  const rest = chord.filter((key) => maskOf(key) === undefined);
  const [key] = rest;
  if (!key || rest.length > 1) throw new DeskhandError("invalid_argument", `Expected one key, with Ctrl, Alt, Shift or Super where wanted, but received ${keys.join("+")}.`, { param: "stopKeys" });
  const mask = chord.reduce((sum, part) => sum | (maskOf(part) ?? 0), 0);
  // A letter's keysym is its Latin-1 code (X11/keysymdef.h).
  return { keysym: key.kind === "named" ? key.key.keysyms[0] : key.char.toLowerCase().codePointAt(0)!, mask };
}

function maskOf(key: ChordKey): number | undefined {
  return key.kind === "named" ? MODIFIER_MASKS[key.key.name] : undefined;
}
