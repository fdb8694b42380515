import { DeskhandError } from "../../core/errors.js";
import type { X11Connection } from "./x11-connection.js";

/** A keycode, and whether Shift selects the keysym on it. */
export interface KeyPosition {
  keycode: number;
  shift: boolean;
}

/** Keypad keysyms: which of a keypad key's two levels Shift selects depends on Num Lock. */
const KEYPAD = { first: 0xff80, last: 0xffbd };

/** How long an application may be busy before it must have read its keys. */
const BUSY_TIMEOUT_MS = 10_000;
/** The same when nothing more is to be typed. */
const RESTORE_TIMEOUT_MS = 1_000;

/**
 * Where the keysyms are on the keyboard, and a loan of unused keycodes for those that are on none. Every loan is returned by
 * `restore`. A borrowed keycode is bound anew only after `settle`, when no application can still have to look up an event of it.
 */
export class X11Keymap {
  readonly #connection: X11Connection;
  readonly #settle: (timeoutMs: number) => Promise<void>;
  readonly #onBorrowed: (keycodes: number[]) => void;
  #positions = new Map<number, KeyPosition>();
  /** Keycodes that nothing is bound to, from the highest down: physical keyboards use the low ones first. */
  #free: number[] = [];
  /** Borrowed keycodes by keysym, the least recently used first. */
  readonly #borrowed = new Map<number, number>();
  #shiftKeycode = 0;

  constructor(connection: X11Connection, settle: (timeoutMs: number) => Promise<void>, onBorrowed: (keycodes: number[]) => void) {
    this.#connection = connection;
    this.#settle = settle;
    this.#onBorrowed = onBorrowed;
  }

  /** The keycode of a Shift key. */
  get shiftKeycode(): number {
    return this.#shiftKeycode;
  }

  /** Reads the layout, which may have changed since (setxkbmap, a keyboard plugged in). */
  async refresh(): Promise<void> {
    const [rows, modifiers] = await Promise.all([this.#connection.keyboardMapping(), this.#connection.modifierMapping()]);
    const rowOf = (keycode: number): number[] => rows[keycode - this.#connection.keycodes.first] ?? [];
    // A layout change takes the loans with it.
    for (const [keysym, keycode] of this.#borrowed) if (rowOf(keycode)[0] !== keysym) this.#borrowed.delete(keysym);
    const borrowed = new Set(this.#borrowed.values());
    this.#onBorrowed([...borrowed]);
    this.#positions = new Map();
    this.#free = [];
    rows.forEach((row, index) => {
      const keycode = this.#connection.keycodes.first + index;
      if (borrowed.has(keycode)) return;
      if (row.every((keysym) => keysym === 0)) this.#free.push(keycode);
      for (const level of [0, 1]) this.#note(row[level] ?? 0, { keycode, shift: level === 1 });
    });
    const shift = modifiers[0]?.find((keycode) => keycode !== 0);
    if (shift === undefined) throw new DeskhandError("display_unavailable", "Expected a keyboard with a Shift key but the X server's modifier map has none; set a layout, for example with setxkbmap us.");
    this.#shiftKeycode = shift;
  }

  /** Where a keysym is, unless it must be borrowed a place first. */
  find(keysym: number): KeyPosition | undefined {
    const keycode = this.#borrowed.get(keysym);
    if (keycode === undefined) return this.#positions.get(keysym);
    this.#borrowed.delete(keysym);
    this.#borrowed.set(keysym, keycode);
    return { keycode, shift: false };
  }

  /**
   * Finds a place for the first of the keysyms, as many as there are keycodes to borrow; the rest must wait for another call.
   * @throws DeskhandError `display_unavailable` when the keyboard has no unused keycode at all.
   */
  async bind(keysyms: Iterable<number>): Promise<void> {
    const capacity = this.#free.length + this.#borrowed.size;
    const wanted = new Set<number>();
    for (const keysym of keysyms) {
      if (this.#positions.has(keysym)) continue;
      if (capacity === 0) throw new DeskhandError("display_unavailable", `Expected an unused keycode on the X display for ${describeKeysym(keysym)}, which is on no key of its layout, but every keycode is in use; choose a layout that has it, for example with setxkbmap.`);
      wanted.add(keysym);
      if (wanted.size === capacity) break;
    }
    const missing = [...wanted].filter((keysym) => !this.#borrowed.has(keysym));
    if (missing.length === 0) return;
    if (missing.length > this.#free.length) {
      await this.#settle(BUSY_TIMEOUT_MS);
      const idle = [...this.#borrowed].filter(([keysym]) => !wanted.has(keysym));
      for (const [keysym, keycode] of idle.slice(0, missing.length - this.#free.length)) {
        this.#borrowed.delete(keysym);
        this.#free.push(keycode);
      }
    }
    const bindings = missing.map((keysym) => ({ keysym, keycode: this.#free.pop() ?? 0 }));
    for (const { keysym, keycode } of bindings) this.#borrowed.set(keysym, keycode);
    // Known as borrowed before they are: a sudden death in between must not leave them bound.
    this.#onBorrowed([...this.#borrowed.values()]);
    // Both levels, so that Shift makes no difference.
    for (const { keysym, keycode } of bindings) this.#connection.bindKey(keycode, [keysym, keysym]);
    // Chromium reads keys on their way in and layouts a moment later: a key pressed right after it was bound may be nothing to it.
    await this.#settle(BUSY_TIMEOUT_MS);
  }

  /** Returns every borrowed keycode. */
  async restore(): Promise<void> {
    if (this.#borrowed.size === 0) return;
    await this.#settle(RESTORE_TIMEOUT_MS);
    for (const keycode of this.#borrowed.values()) this.#connection.bindKey(keycode, [0]);
    this.#borrowed.clear();
    await this.#connection.sync();
    this.#onBorrowed([]);
  }

  #note(keysym: number, position: KeyPosition): void {
    if (keysym === 0 || (position.shift && keysym >= KEYPAD.first && keysym <= KEYPAD.last)) return;
    const known = this.#positions.get(keysym);
    // Without Shift is better than with it, and the lower keycode is the one on real keyboards.
    if (known === undefined || (known.shift && !position.shift)) this.#positions.set(keysym, position);
  }
}

/** The keysym of a character: Latin-1 is itself, everything else has bit 24 set (X11 protocol, appendix A). */
export function keysymOf(codePoint: number): number {
  const latin1 = (codePoint >= 0x20 && codePoint <= 0x7e) || (codePoint >= 0xa0 && codePoint <= 0xff);
  return latin1 ? codePoint : 0x01000000 + codePoint;
}

function describeKeysym(keysym: number): string {
  const codePoint = keysym >= 0x01000000 ? keysym - 0x01000000 : keysym;
  return `U+${codePoint.toString(16).toUpperCase().padStart(4, "0")}`;
}
