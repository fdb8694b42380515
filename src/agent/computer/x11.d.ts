/** The part of the `x11` package (4.2) that is used here; it ships no types. Void requests take no callback. */
declare module "x11" {
  import type { EventEmitter } from "node:events";
  import type { Duplex } from "node:stream";

  /** Return true to mark an error as handled; otherwise the client emits it as well. */
  type Callback<T> = (error: Error | null | undefined, value: T) => boolean | void;

  interface XTest {
    KeyPress: 2;
    KeyRelease: 3;
    ButtonPress: 4;
    ButtonRelease: 5;
    MotionNotify: 6;
    FakeInput(type: number, detail: number, time: number, window: number, x: number, y: number): void;
  }

  interface XkbState {
    baseMods: number;
    latchedMods: number;
    lockedMods: number;
    group: number;
    lockedGroup: number;
  }

  interface Xkb {
    UseCoreKbd: number;
    UseExtension(major: number, minor: number, callback: Callback<{ supported: number }>): void;
    GetState(device: number, callback: Callback<XkbState>): void;
    LatchLockState(device: number, affectModLocks: number, modLocks: number, lockGroup: boolean, groupLock: number, affectModLatches: number, modLatches: number, latchGroup: boolean, groupLatch: number): void;
  }

  interface XEvent {
    name: string;
    type: number;
    wid: number;
    format?: number;
    message_type?: number;
    data?: number[];
    /** Of key and button events. */
    keycode?: number;
    /** Of pointer events: the place on the root window. */
    rootx?: number;
    rooty?: number;
  }

  interface XClient extends EventEmitter {
    stream: Duplex;
    /** Atoms known by name, looked up here before the server is asked. */
    atoms: Record<string, number>;
    require(name: "xtest", callback: Callback<XTest>): void;
    require(name: "xkb", callback: Callback<Xkb>): void;
    sync(callback: (error: Error | null) => void): void;
    terminate(): void;
    InternAtom(onlyIfExists: boolean, name: string, callback: Callback<number>): void;
    GetProperty(del: 0 | 1, window: number, property: number, type: number, offset: number, length: number, callback: Callback<{ type: number; data: Buffer }>): void;
    GetKeyboardMapping(first: number, count: number, callback: Callback<number[][]>): void;
    ChangeKeyboardMapping(first: number, keysymsPerKeycode: number, keysyms: number[]): void;
    GetModifierMapping(callback: Callback<number[][]>): void;
    GetInputFocus(callback: Callback<{ focus: number }>): void;
    QueryTree(window: number, callback: Callback<{ root: number; parent: number; children: number[] }>): void;
    QueryExtension(name: string, callback: Callback<{ present: number }>): void;
    GetImage(format: 2, drawable: number, x: number, y: number, width: number, height: number, planeMask: number, callback: Callback<{ depth: number; data: Buffer }>): void;
    AllocID(): number;
    CreateWindow(id: number, parent: number, x: number, y: number, width: number, height: number, borderWidth: number, depth: number, windowClass: 1 | 2, visual?: number, values?: { backgroundPixel?: number; overrideRedirect?: 0 | 1 }): void;
    MapWindow(id: number): void;
    TranslateCoordinates(from: number, to: number, x: number, y: number, callback: Callback<{ child: number; destX: number; destY: number }>): void;
    GetGeometry(drawable: number, callback: Callback<{ width: number; height: number }>): void;
    GrabKey(window: number, ownerEvents: boolean, modifiers: number, keycode: number, pointerMode: 1, keyboardMode: 1): void;
    GrabPointer(window: number, ownerEvents: boolean, eventMask: number, pointerMode: 1, keyboardMode: 1, confineTo: number, cursor: number, time: number, callback: Callback<number>): void;
    QueryKeymap(callback: Callback<Buffer>): void;
    QueryPointer(window: number, callback: Callback<{ rootX: number; rootY: number; keyMask: number }>): void;
    ChangeWindowAttributes(window: number, values: { eventMask?: number; backgroundPixel?: number }): void;
    ClearArea(window: number, x: number, y: number, width: number, height: number, exposures: 0 | 1): void;
    SendClientMessage(destination: number, window: number, type: number, format: 8 | 16 | 32, data: number[], eventMask: number): void;
  }

  interface XDisplay {
    client: XClient;
    min_keycode: number;
    max_keycode: number;
    screen: [{ root: number; pixel_width: number; pixel_height: number }, ...unknown[]];
  }

  interface X11 {
    createClient(options: { display: string; shm?: false }, callback: (error: Error | null | undefined, display: XDisplay) => void): XClient;
    eventMask: { ButtonPress: number; StructureNotify: number; SubstructureNotify: number; SubstructureRedirect: number };
  }

  const x11: X11;
  export default x11;
  export type { X11, XClient, XDisplay, XEvent, Xkb, XkbState, XTest };
}
