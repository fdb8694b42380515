import { setTimeout as sleep } from "node:timers/promises";
import { DeskhandError, messageOf, throwIfAborted } from "../../core/errors.js";
import { MouseButton, type Point } from "../actions.js";
import type { Computer, Display, Screenshot } from "./computer.js";
import { guardExit } from "./exit-guard.js";
import { recordOwnMove } from "./failsafe.js";
import { resolveChord } from "./keys.js";
import { rgbaFromBgra } from "./pixels.js";
import { oblige, type Obligation, type StandingObligation } from "./watchdog.js";
import type { X11Connection } from "./x11-connection.js";
import { watchX11Hotkey } from "./x11-hotkey.js";
import { X11Windows } from "./x11-windows.js";
import { X11Keyboard } from "./x11-keyboard.js";
import { wheelUnits } from "./wheel.js";

const BUTTONS: Readonly<Record<MouseButton, number>> = { left: 1, middle: 2, right: 3, back: 8, forward: 9 };
/** The wheel is four more buttons, one click each (X11 convention). */
const WHEEL = { up: 4, down: 5, left: 6, right: 7 } as const;
const CLICK_TIMEOUT_MS = 150;
/** Chromium takes two presses with the same time, which X counts in milliseconds, for one. */
const BETWEEN_CLICKS_MS = 10;

/**
 * A computer on an X display, over one connection of its own: pictures, mouse and keys reach the server in the order of the calls.
 *
 * nut-js serves the other systems (`native-computer.ts`) but not this one. Its native module 2.7.5 was measured here to end the
 * process with code 1 when it exits after the X server has gone, as a virtual display always does; to end it when a key is not in
 * the layout; to crash it in `captureScreen` when DISPLAY is unset; and to scroll left as right. This is no slower: 640×480 takes
 * 1.2 ms and 1920×1080 takes 10 ms.
 */
export class X11Computer implements Computer {
  readonly buttons = MouseButton.options;
  readonly displayName: string;
  readonly windows: X11Windows;
  readonly #connection: X11Connection;
  readonly #display: Display;
  readonly #keyboard: X11Keyboard;
  readonly #obligation: StandingObligation;
  readonly #unguard: () => void;
  readonly #heldButtons = new Set<MouseButton>();
  #heldKeys: { keys: number[]; boundKeycodes: number[] } = { keys: [], boundKeycodes: [] };
  #capture = (): Promise<Screenshot> => this.#captureFromServer();
  /** Whether there was a click since the last key. */
  #clicked = false;
  #closed: Promise<void> | undefined;

  constructor(connection: X11Connection, display: Display) {
    this.displayName = connection.displayName;
    this.windows = new X11Windows(connection);
    this.#connection = connection;
    this.#display = display;
    this.#obligation = oblige(this.#held());
    this.#keyboard = new X11Keyboard(connection, (held) => {
      this.#heldKeys = held;
      this.#obligation.update(this.#held());
    });
    this.#unguard = guardExit(() => {
      // A server that is busy closes the connection of a process that has died without reading the rest of it: the watchdog releases once more.
      this.#obligation.seal();
      this.#releaseNow();
    });
  }

  async display(): Promise<Display> {
    return this.#display;
  }

  /** Takes pictures in another way from now on, for a server that shows its own clients nothing but black. */
  captureBy(capture: () => Promise<Screenshot>): void {
    this.#capture = capture;
  }

  async capture(signal?: AbortSignal): Promise<Screenshot> {
    throwIfAborted(signal);
    const screenshot = await this.#capture();
    throwIfAborted(signal);
    return screenshot;
  }

  async #captureFromServer(): Promise<Screenshot> {
    const { x, y, width, height } = this.#display;
    let image: { depth: number; data: Buffer };
    try {
      image = await this.#connection.image(x, y, width, height);
    } catch (cause) {
      this.#connection.assertAlive();
      throw new DeskhandError("display_unavailable", `Expected a picture of ${width}×${height} at ${x},${y} of ${this.displayName} but received: ${messageOf(cause)}. The display may have changed its size; start again.`, { cause });
    }
    if (image.data.length !== width * height * 4 || image.depth < 24 || image.depth > 32)
      throw new DeskhandError("display_unavailable", `Expected a screen of 24 or 32 bits a pixel but received a depth of ${image.depth}; set the display to true colour.`);
    return { data: rgbaFromBgra(image.data, width, height, width * 4), widthPx: width, heightPx: height };
  }

  async move(to: Point): Promise<void> {
    const target = { x: Math.round(to.x), y: Math.round(to.y) };
    recordOwnMove(this, target);
    this.#connection.fakeMotion(target.x, target.y);
    await this.#connection.sync();
  }

  async click(button: MouseButton, count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      if (i > 0) await sleep(BETWEEN_CLICKS_MS);
      try {
        this.#button(button, true);
      } finally {
        this.#button(button, false);
      }
      await this.#connection.sync();
    }
  }

  async press(button: MouseButton): Promise<void> {
    this.#button(button, true);
    await this.#connection.sync();
  }

  async release(button: MouseButton): Promise<void> {
    this.#button(button, false);
    await this.#connection.sync();
  }

  async scroll(up: number, left: number): Promise<void> {
    this.#turnWheel(up >= 0 ? WHEEL.up : WHEEL.down, Math.abs(wheelUnits(up, "x11")));
    this.#turnWheel(left >= 0 ? WHEEL.left : WHEEL.right, Math.abs(wheelUnits(left, "x11")));
    await this.#connection.sync();
  }

  async type(text: string, signal?: AbortSignal): Promise<void> {
    await this.#awaitClicks();
    await this.#keyboard.type(text, signal);
  }

  async chord(keys: string[]): Promise<void> {
    const chord = resolveChord(keys);
    await this.#awaitClicks();
    await this.#keyboard.chord(chord);
  }

  async keyDown(keys: string[]): Promise<void> {
    const chord = resolveChord(keys);
    await this.#awaitClicks();
    await this.#keyboard.keyDown(chord);
  }

  async keyUp(keys: string[]): Promise<void> {
    await this.#keyboard.keyUp(resolveChord(keys));
  }

  cursor(): Promise<Point> {
    return this.#connection.pointer();
  }

  watchHotkey(keys: string[], onPressed: () => void): Promise<AsyncDisposable> {
    return watchX11Hotkey(this.displayName, keys, onPressed);
  }

  async releaseAll(): Promise<void> {
    try {
      this.#releaseNow();
      await this.#connection.sync();
    } catch {
      // The display has gone, and what was held with it.
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await this.releaseAll();
    // The borrowed keycodes of a display that has gone, or of an application that hangs, are not worth an error any more.
    await this.#keyboard.close().catch(() => undefined);
    this.#unguard();
    this.#obligation.discharge();
    this.#connection.close();
  }

  #releaseNow(): void {
    for (const button of [...this.#heldButtons].toReversed()) this.#button(button, false);
    this.#keyboard.releaseNow();
  }

  #button(button: MouseButton, down: boolean): void {
    if (down) this.#heldButtons.add(button);
    // Reported before it is pressed, and forgotten after it has been released: see the watchdog.
    if (down) this.#obligation.update(this.#held());
    this.#connection.fakeButton(BUTTONS[button], down);
    this.#clicked = true;
    if (down) return;
    this.#heldButtons.delete(button);
    this.#obligation.update(this.#held());
  }

  /**
   * Window managers hold a click back until they have decided whether it raises or focuses the window, but not the keys after it;
   * without this wait text would arrive in the application before the click that chose its place.
   */
  async #awaitClicks(): Promise<void> {
    if (!this.#clicked) return;
    this.#clicked = false;
    // The limit is for menus and drags, which keep the pointer to themselves.
    const limit = performance.now() + CLICK_TIMEOUT_MS;
    while ((await this.#connection.pointerIsGrabbed()) && performance.now() < limit) await sleep(1);
  }

  #turnWheel(button: number, clicks: number): void {
    for (let i = 0; i < clicks; i++) {
      this.#connection.fakeButton(button, true);
      this.#connection.fakeButton(button, false);
    }
  }

  #held(): Obligation {
    const { keys, boundKeycodes } = this.#heldKeys;
    return { kind: "x11", display: this.displayName, keycodes: keys, buttons: [...this.#heldButtons].map((button) => BUTTONS[button]), boundKeycodes };
  }
}
