import { setTimeout as sleep } from "node:timers/promises";
import { DeskhandError, throwIfAborted } from "../../core/errors.js";
import type { Keyboard, OnHeld } from "./keyboard.js";
import { keyId, type ChordKey } from "./keys.js";
import { typeableCharacters } from "./typed-text.js";
import { awaitFocusedApplication } from "./x11-barrier.js";
import type { X11Connection } from "./x11-connection.js";
import { keysymOf, X11Keymap, type KeyPosition } from "./x11-keymap.js";

const RETURN = 0xff0d;
const TAB = 0xff09;
/** Modifiers that change what a key means: all but Mod2, which is Num Lock. */
const MEANINGFUL_MODIFIERS = 0xff & ~(1 << 4);
/** Characters between two looks at the signal. */
const BURST = 64;
const PERSON_TIMEOUT_MS = 3_000;

/**
 * Keys and text on an X display, by keysym: XTEST presses the keycode that the current layout has for it, or one borrowed for it.
 *
 * nut-js is not used for keys here: it drops all but ASCII from text, and pressing a key that the layout lacks makes Xlib end the
 * process.
 */
export class X11Keyboard implements Keyboard {
  readonly #connection: X11Connection;
  readonly #keymap: X11Keymap;
  readonly #onHeld: OnHeld;
  /** Keycodes held, in the order they were pressed. */
  #held: number[] = [];
  /** Keycodes that `keyDown` holds, by `keyId`. */
  readonly #down = new Map<string, number[]>();
  #borrowed: number[] = [];

  constructor(connection: X11Connection, onHeld: OnHeld) {
    this.#connection = connection;
    this.#onHeld = onHeld;
    this.#keymap = new X11Keymap(
      connection,
      (timeoutMs) => awaitFocusedApplication(connection, timeoutMs),
      (keycodes) => {
        this.#borrowed = keycodes;
        this.#report();
      },
    );
  }

  async type(text: string, signal?: AbortSignal): Promise<void> {
    const keysyms = typeableCharacters(text).map((char) => (char === "\n" ? RETURN : char === "\t" ? TAB : keysymOf(char.codePointAt(0) ?? 0)));
    if (keysyms.length === 0) return;
    await this.#keymap.refresh();
    await this.#withNeutralState(MEANINGFUL_MODIFIERS, async () => {
      for (let i = 0; i < keysyms.length; ) {
        throwIfAborted(signal);
        await this.#keymap.bind(keysyms.slice(i));
        const burst: KeyPosition[] = [];
        while (burst.length < BURST && i < keysyms.length) {
          const position = this.#keymap.find(keysyms[i] ?? 0);
          if (position === undefined) break;
          burst.push(position);
          i += 1;
        }
        await this.#tapAll(burst);
      }
    });
  }

  async chord(keys: ChordKey[]): Promise<void> {
    const keycodes = await this.#keycodesFor(keys);
    await this.#withNeutralState(0, async () => {
      const before = this.#held.length;
      try {
        for (const keycode of keycodes) if (!this.#held.includes(keycode)) this.#press(keycode);
        await this.#connection.sync();
      } finally {
        for (const keycode of this.#held.slice(before).toReversed()) this.#release(keycode);
      }
      await this.#connection.sync();
    });
  }

  async keyDown(keys: ChordKey[]): Promise<void> {
    for (const key of keys) {
      const pressed = (await this.#keycodesFor([key])).filter((keycode) => !this.#held.includes(keycode));
      await this.#withNeutralState(0, async () => {
        for (const keycode of pressed) this.#press(keycode);
        this.#down.set(keyId(key), [...(this.#down.get(keyId(key)) ?? []), ...pressed]);
        await this.#connection.sync();
      });
    }
  }

  async keyUp(keys: ChordKey[]): Promise<void> {
    for (const id of keys.map(keyId).toReversed()) {
      for (const keycode of (this.#down.get(id) ?? []).toReversed()) this.#release(keycode);
      this.#down.delete(id);
    }
    await this.#connection.sync();
  }

  /** The keys to press for a chord, in order, with Shift where the layout wants it. */
  async #keycodesFor(keys: ChordKey[]): Promise<number[]> {
    await this.#keymap.refresh();
    const keysyms = keys.map((key) => this.#keysym(key));
    await this.#keymap.bind(keysyms);
    const positions = keysyms.map((keysym) => {
      const position = this.#keymap.find(keysym);
      if (position === undefined) throw new DeskhandError("invalid_argument", `Expected a chord that fits the keyboard but received ${keys.length} keys, more than there are unused keycodes for.`, { param: "keys" });
      return position;
    });
    const keycodes = positions.map(({ keycode }) => keycode);
    // `ctrl` and `+` on a layout with + above = is Ctrl+Shift+=.
    const firstShifted = positions.findIndex(({ shift }) => shift);
    if (firstShifted >= 0 && !keycodes.slice(0, firstShifted).includes(this.#keymap.shiftKeycode)) keycodes.splice(firstShifted, 0, this.#keymap.shiftKeycode);
    return keycodes;
  }

  async releaseAll(): Promise<void> {
    this.releaseNow();
    await this.#connection.sync();
  }

  releaseNow(): void {
    for (const keycode of this.#held.toReversed()) this.#release(keycode);
    this.#down.clear();
  }

  async close(): Promise<void> {
    await this.releaseAll();
    await this.#keymap.restore();
  }

  #keysym(key: ChordKey): number {
    if (key.kind === "char") return keysymOf(key.char.codePointAt(0) ?? 0);
    return key.key.keysyms.find((keysym) => this.#keymap.find(keysym)?.shift === false) ?? key.key.keysyms[0];
  }

  /** Presses and releases each key; one write for all, one round trip at the end. */
  async #tapAll(positions: KeyPosition[]): Promise<void> {
    const shift = this.#keymap.shiftKeycode;
    // Whatever may be down for a moment is reported once: a death in the middle of a burst must not leave it held.
    this.#report([...new Set([shift, ...positions.map(({ keycode }) => keycode)])]);
    try {
      for (const position of positions) {
        if (position.shift) this.#connection.fakeKey(shift, true);
        this.#connection.fakeKey(position.keycode, true);
        this.#connection.fakeKey(position.keycode, false);
        if (position.shift) this.#connection.fakeKey(shift, false);
      }
      await this.#connection.sync();
    } finally {
      this.#report();
    }
  }

  /** Runs `action` in the layout's first group with the given modifiers unlocked (Caps Lock, sticky keys), and restores both. */
  async #withNeutralState(modifiers: number, action: () => Promise<void>): Promise<void> {
    const state = await this.#connection.keyboardState();
    const foreign = (state?.lockedMods ?? 0) & modifiers;
    const neutral = state === undefined || (foreign === 0 && (state.latchedMods & modifiers) === 0 && state.group === 0);
    if (!neutral) this.#connection.lockKeyboard(modifiers, 0, 0);
    try {
      if (modifiers !== 0) await this.#awaitNoModifierDown();
      await action();
    } finally {
      if (!neutral) this.#connection.lockKeyboard(modifiers, foreign, state.lockedGroup);
    }
  }

  /** A person who holds Ctrl would turn text into shortcuts. */
  async #awaitNoModifierDown(): Promise<void> {
    for (const deadlineMs = performance.now() + PERSON_TIMEOUT_MS; ; await sleep(20)) {
      const state = await this.#connection.keyboardState();
      if (state === undefined || (state.baseMods & MEANINGFUL_MODIFIERS) === 0) return;
      if (performance.now() > deadlineMs) throw new DeskhandError("timeout", "Expected no modifier key (Shift, Ctrl, Alt, Super) to be held down while text is typed but one is; let go of it.");
    }
  }

  #press(keycode: number): void {
    this.#held.push(keycode);
    // Before the key: see the watchdog.
    this.#report();
    this.#connection.fakeKey(keycode, true);
  }

  #release(keycode: number): void {
    this.#connection.fakeKey(keycode, false);
    this.#held = this.#held.filter((held) => held !== keycode);
    this.#report();
  }

  #report(tapping: number[] = []): void {
    this.#onHeld({ keys: [...this.#held, ...tapping], boundKeycodes: this.#borrowed });
  }
}
