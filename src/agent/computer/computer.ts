import type { MouseButton, Point, Region } from "../actions.js";

/** Pixels of one display, as captured: `data` is RGBA, row-major, `widthPx × heightPx × 4` bytes. */
export interface Screenshot {
  data: Uint8Array;
  /** Physical (captured) pixels. */
  widthPx: number;
  heightPx: number;
}

/** A display's place on the desktop, in logical pixels. */
export interface Display {
  id: string;
  x: number;
  y: number;
  width: number;
  height: number;
  /** Captured pixels per logical pixel. */
  scale: number;
}

/** A window of some application. */
export interface WindowInfo {
  /** Tells it from the others while it is open. */
  id: string;
  /** The names its application goes by, e.g. both parts of WM_CLASS; none where the system does not tell. */
  applications: string[];
  /** May be whatever the application, or the page it shows, likes. */
  title: string;
}

/** A window and its place on the desktop, in logical pixels, without the window manager's frame. */
export type PlacedWindow = WindowInfo & Region;

/** Whose windows are where. */
export interface Windows {
  /** All that are open, the uppermost first. */
  list(): Promise<PlacedWindow[]>;
  /** The uppermost window at a place, in logical desktop pixels; undefined where there is none or nobody knows. */
  at(point: Point): Promise<WindowInfo | undefined>;
  /** The window that keys go to. */
  focused(): Promise<WindowInfo | undefined>;
  /** Asks for a window to be raised and given the keys again; whether it was shows in `focused`. */
  activate(window: WindowInfo): Promise<void>;
}

/**
 * Eyes and hands. Positions are logical desktop pixels; all methods resolve when the system has taken the event.
 * Implementations: `desktop.ts` (a real display) and `memory.ts` (for tests).
 */
export interface Computer {
  /** The mouse buttons it can press. */
  readonly buttons: readonly MouseButton[];
  /** Absent where windows cannot be told apart. */
  readonly windows?: Windows;
  /** Set when this is a part of another computer's display. */
  readonly whole?: Computer;
  display(): Promise<Display>;
  capture(signal?: AbortSignal): Promise<Screenshot>;
  move(to: Point): Promise<void>;
  click(button: MouseButton, count: number): Promise<void>;
  press(button: MouseButton): Promise<void>;
  release(button: MouseButton): Promise<void>;
  /** Wheel clicks, parts of one included where the system has them (`wheel.ts`): positive is up and left. */
  scroll(up: number, left: number): Promise<void>;
  /** Text arrives exactly as given, on every keyboard layout. */
  type(text: string, signal?: AbortSignal): Promise<void>;
  /** Presses the keys in order and releases them in reverse. */
  chord(keys: string[]): Promise<void>;
  /** Presses the keys in order and leaves them down; those that are down already stay as they are. */
  keyDown(keys: string[]): Promise<void>;
  /** Releases those of the keys that are down, in reverse. */
  keyUp(keys: string[]): Promise<void>;
  cursor(): Promise<Point>;
  /**
   * Calls back whenever these keys are pressed, whichever program has the keyboard; absent where the system has no such thing.
   * @throws DeskhandError `display_unavailable` when another program has taken the keys.
   */
  watchHotkey?(keys: string[], onPressed: () => void): Promise<AsyncDisposable>;
  /** Lets go of every key and button this computer holds. Idempotent, never throws. */
  releaseAll(): Promise<void>;
  /** `releaseAll`, then frees connections and child processes. */
  close(): Promise<void>;
}
