import x11, { type XClient, type XDisplay, type XEvent, type Xkb, type XkbState, type XTest } from "x11";
import { DeskhandError, messageOf } from "../../core/errors.js";

/** Which events of a window to be told of (X11/X.h). */
export const EventMask = {
  none: 0,
  buttonPress: x11.eventMask.ButtonPress,
  structureNotify: x11.eventMask.StructureNotify,
  substructureNotify: x11.eventMask.SubstructureNotify,
  substructureRedirect: x11.eventMask.SubstructureRedirect,
} as const;

// X11/X.h
const Z_PIXMAP = 2;
const INPUT_OUTPUT = 1;
const INPUT_ONLY = 2;
const COPY_FROM_PARENT = 0;
const GRAB_MODE_ASYNC = 1;
const ALREADY_GRABBED = 1;

/**
 * One connection to an X server. Requests are answered in order; when the server goes away every call rejects with
 * `display_unavailable` instead of hanging.
 */
export class X11Connection {
  readonly displayName: string;
  readonly root: number;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly keycodes: { first: number; last: number };
  readonly #client: XClient;
  readonly #xtest: XTest;
  readonly #xkb: Xkb | undefined;
  readonly #pending = new Set<(error: Error) => void>();
  /** A window that is never shown, made when it is first needed. */
  #unmapped: number | undefined;
  #lost: DeskhandError | undefined;
  #closed = false;
  /** The first error of a request without a reply; thrown by the next `sync`. */
  #requestError: Error | undefined;

  private constructor(displayName: string, display: XDisplay, xtest: XTest, xkb: Xkb | undefined) {
    this.displayName = displayName;
    this.root = display.screen[0].root;
    this.widthPx = display.screen[0].pixel_width;
    this.heightPx = display.screen[0].pixel_height;
    this.keycodes = { first: display.min_keycode, last: display.max_keycode };
    this.#client = display.client;
    this.#xtest = xtest;
    this.#xkb = xkb;
    // x11 4.2.2 keeps one cache of atoms for all clients, but each server numbers its atoms itself.
    this.#client.atoms = { ...this.#client.atoms };
    this.#client.removeAllListeners("error");
    this.#client.on("error", (error: Error) => (this.#requestError ??= error));
    this.#client.stream.on("close", () => this.#lose("it closed the connection"));
  }

  /** @throws DeskhandError `display_unavailable` when the server cannot be reached or has no XTEST extension. */
  static async open(displayName: string): Promise<X11Connection> {
    const fail = (cause: unknown, what: string): DeskhandError =>
      new DeskhandError("display_unavailable", `Expected ${what} on the X display ${displayName} but received: ${messageOf(cause)}. Check DISPLAY and XAUTHORITY, or use a display of its own with --display virtual.`, { cause });
    let display: XDisplay;
    try {
      display = await new Promise<XDisplay>((resolve, reject) => {
        const client = x11.createClient({ display: displayName, shm: false }, (error, opened) => (error ? reject(error) : resolve(opened)));
        client.on("error", reject);
      });
    } catch (error) {
      throw fail(error, "a connection");
    }
    try {
      const xtest = await new Promise<XTest>((resolve, reject) => display.client.require("xtest", (error, ext) => (error ? reject(error) : resolve(ext))));
      const xkb = await new Promise<Xkb | undefined>((resolve) => display.client.require("xkb", (error, ext) => resolve(error ? undefined : ext)));
      const connection = new X11Connection(displayName, display, xtest, xkb);
      if (xkb) await connection.#call((callback) => xkb.UseExtension(1, 0, callback));
      return connection;
    } catch (error) {
      display.client.terminate();
      throw fail(error, "the XTEST extension");
    }
  }

  /** Waits until the server has processed everything sent so far. Rejects with the first error it reported since the last one. */
  async sync(): Promise<void> {
    await this.#call<void>((callback) => this.#client.sync((error) => callback(error, undefined)));
    const error = this.#requestError;
    this.#requestError = undefined;
    if (error) throw new DeskhandError("internal", `The X server ${this.displayName} refused a request: ${messageOf(error)}.`, { cause: error });
  }

  /** Throws when the server is gone. */
  assertAlive(): void {
    if (this.#lost) throw this.#lost;
  }

  fakeKey(keycode: number, down: boolean): void {
    this.#send(() => this.#xtest.FakeInput(down ? this.#xtest.KeyPress : this.#xtest.KeyRelease, keycode, 0, 0, 0, 0));
  }

  fakeButton(button: number, down: boolean): void {
    this.#send(() => this.#xtest.FakeInput(down ? this.#xtest.ButtonPress : this.#xtest.ButtonRelease, button, 0, 0, 0, 0));
  }

  /** Moves the pointer to a place on the root window. */
  fakeMotion(x: number, y: number): void {
    this.#send(() => this.#xtest.FakeInput(this.#xtest.MotionNotify, 0, 0, 0, x, y));
  }

  async pointer(): Promise<{ x: number; y: number }> {
    const { rootX, rootY } = await this.#call<{ rootX: number; rootY: number }>((callback) => this.#client.QueryPointer(this.root, callback));
    return { x: rootX, y: rootY };
  }

  /** Whether another client has the pointer to itself: a menu that is open, or a window manager that looks at a click first. */
  async pointerIsGrabbed(): Promise<boolean> {
    if (this.#unmapped === undefined) {
      const window = (this.#unmapped = this.#client.AllocID());
      this.#send(() => this.#client.CreateWindow(window, this.root, 0, 0, 1, 1, 0, 0, INPUT_ONLY));
    }
    const window = this.#unmapped;
    // A grab for a window that is not on the screen always fails, so nobody notices; but the reason tells (dix/events.c, GrabDevice).
    const status = await this.#call<number>((callback) => this.#client.GrabPointer(window, false, 0, GRAB_MODE_ASYNC, GRAB_MODE_ASYNC, 0, 0, 0, callback));
    return status === ALREADY_GRABBED;
  }

  /** Pixels of a rectangle of the root window, as the server stores them: on all true-colour servers BGRX, 4 bytes each. */
  image(x: number, y: number, width: number, height: number): Promise<{ depth: number; data: Buffer }> {
    return this.#call((callback) => this.#client.GetImage(Z_PIXMAP, this.root, x, y, width, height, 0xffffffff, callback));
  }

  /** Keysyms of every keycode from `keycodes.first` on; columns 0 and 1 are the two levels of the first group. */
  keyboardMapping(): Promise<number[][]> {
    const { first, last } = this.keycodes;
    return this.#call((callback) => this.#client.GetKeyboardMapping(first, last - first + 1, callback));
  }

  /** Gives one keycode its keysyms; `[0]` is none. */
  bindKey(keycode: number, keysyms: [number, ...number[]]): void {
    this.#send(() => this.#client.ChangeKeyboardMapping(keycode, keysyms.length, keysyms));
  }

  /** Keycodes of Shift, Lock, Control and Mod1 to Mod5. */
  modifierMapping(): Promise<number[][]> {
    return this.#call((callback) => this.#client.GetModifierMapping(callback));
  }

  /** Undefined when the server has no XKEYBOARD extension. */
  async keyboardState(): Promise<XkbState | undefined> {
    const xkb = this.#xkb;
    return xkb && (await this.#call<XkbState>((callback) => xkb.GetState(xkb.UseCoreKbd, callback)));
  }

  /** Sets the locked modifiers named in `affect` to `mods`, the locked group, and clears latches of the same modifiers. */
  lockKeyboard(affect: number, mods: number, group: number): void {
    const xkb = this.#xkb;
    if (xkb) this.#send(() => xkb.LatchLockState(xkb.UseCoreKbd, affect, mods, true, group, affect, 0, false, 0));
  }

  async focusedWindow(): Promise<number> {
    return (await this.#call<{ focus: number }>((callback) => this.#client.GetInputFocus(callback))).focus;
  }

  async parentOf(window: number): Promise<number> {
    return (await this.#call<{ parent: number }>((callback) => this.#client.QueryTree(window, callback))).parent;
  }

  async childrenOf(window: number): Promise<number[]> {
    return (await this.#call<{ children: number[] }>((callback) => this.#client.QueryTree(window, callback))).children;
  }

  /** The child of a window at a place on the root window; 0 when there is none. */
  async childAt(window: number, x: number, y: number): Promise<number> {
    return (await this.#call<{ child: number }>((callback) => this.#client.TranslateCoordinates(this.root, window, x, y, callback))).child;
  }

  /** Where a window is on the root window, without its border. */
  async placeOf(window: number): Promise<{ x: number; y: number; width: number; height: number }> {
    const { width, height } = await this.#call<{ width: number; height: number }>((callback) => this.#client.GetGeometry(window, callback));
    const { destX: x, destY: y } = await this.#call<{ destX: number; destY: number }>((callback) => this.#client.TranslateCoordinates(window, this.root, 0, 0, callback));
    return { x, y, width, height };
  }

  async hasExtension(name: string): Promise<boolean> {
    return (await this.#call<{ present: number }>((callback) => this.#client.QueryExtension(name, callback))).present !== 0;
  }

  atom(name: string): Promise<number> {
    return this.#call((callback) => this.#client.InternAtom(false, name, callback));
  }

  /** A property as it is, at most 4 KiB of it; empty when the window has none. */
  async propertyBytes(window: number, atom: number): Promise<Buffer> {
    return (await this.#call<{ data: Buffer }>((callback) => this.#client.GetProperty(0, window, atom, 0, 0, 1024, callback))).data;
  }

  /** A property of 32-bit items; empty when the window has none. */
  async property(window: number, atom: number): Promise<number[]> {
    const data = await this.propertyBytes(window, atom);
    return Array.from({ length: data.length >> 2 }, (_, i) => data.readUInt32LE(i * 4));
  }

  sendClientMessage(window: number, type: number, data: number[]): void {
    this.#send(() => this.#client.SendClientMessage(window, window, type, 32, data, 0));
  }

  /** A message about a window to the window manager. */
  askWindowManager(window: number, type: number, data: number[]): void {
    const { substructureNotify, substructureRedirect } = EventMask;
    this.#send(() => this.#client.SendClientMessage(this.root, window, type, 32, data, substructureNotify | substructureRedirect));
  }

  /** Takes a key, with exactly these modifiers, from all other programs; refused ones show at the next `sync`. */
  grabKey(keycode: number, modifiers: number): void {
    this.#send(() => this.#client.GrabKey(this.root, false, modifiers, keycode, GRAB_MODE_ASYNC, GRAB_MODE_ASYNC));
  }

  /** Hears all events of this connection. */
  onEvent(onEvent: (event: XEvent) => void): void {
    this.#client.on("event", onEvent);
  }

  /** Selects events of a window for this connection and hears all of them until disposed. */
  listen(window: number, eventMask: number, onEvent: (event: XEvent) => void): Disposable {
    this.#client.on("event", onEvent);
    this.#send(() => this.#client.ChangeWindowAttributes(window, { eventMask }));
    return {
      [Symbol.dispose]: () => {
        this.#client.off("event", onEvent);
        if (!this.#lost && !this.#closed) this.#client.ChangeWindowAttributes(window, { eventMask: EventMask.none });
      },
    };
  }

  /** Fills the background with one colour, 0xRRGGBB. */
  setBackground(rgb: number): void {
    this.#send(() => {
      this.#client.ChangeWindowAttributes(this.root, { backgroundPixel: rgb });
      this.#client.ClearArea(this.root, 0, 0, 0, 0, 0);
    });
  }

  /** Shows a window of one colour, 0xRRGGBB; on the root without a frame and above all others. It goes with the connection. */
  showWindow({ x, y, width, height }: { x: number; y: number; width: number; height: number }, rgb: number, parent = this.root): number {
    const window = this.#client.AllocID();
    this.#send(() => {
      this.#client.CreateWindow(window, parent, x, y, width, height, 0, COPY_FROM_PARENT, INPUT_OUTPUT, COPY_FROM_PARENT, { backgroundPixel: rgb, overrideRedirect: 1 });
      this.#client.MapWindow(window);
    });
    return window;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (!this.#lost) this.#client.terminate();
  }

  #send(request: () => void): void {
    this.assertAlive();
    request();
  }

  #call<T>(request: (callback: (error: Error | null | undefined, value: T) => boolean) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.assertAlive();
      this.#pending.add(reject);
      request((error, value) => {
        this.#pending.delete(reject);
        if (error) reject(error);
        else resolve(value);
        return true;
      });
    });
  }

  #lose(why: string): void {
    this.#lost ??= new DeskhandError("display_unavailable", `The X display ${this.displayName} is gone: ${why}.`);
    for (const reject of this.#pending) reject(this.#lost);
    this.#pending.clear();
  }
}
