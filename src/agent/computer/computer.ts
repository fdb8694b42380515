import type { MouseButton, Point } from "../actions.js";

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

/**
 * Eyes and hands. Positions are logical desktop pixels; all methods resolve when the system has taken the event.
 * Implementations: `desktop.ts` (a real display) and `memory.ts` (for tests).
 */
export interface Computer {
  display(): Promise<Display>;
  capture(signal?: AbortSignal): Promise<Screenshot>;
  move(to: Point): Promise<void>;
  click(button: MouseButton, count: number): Promise<void>;
  press(button: MouseButton): Promise<void>;
  release(button: MouseButton): Promise<void>;
  /** Wheel clicks: positive is up and left. */
  scroll(up: number, left: number): Promise<void>;
  /** Text arrives exactly as given, on every keyboard layout. */
  type(text: string, signal?: AbortSignal): Promise<void>;
  /** Presses the keys in order and releases them in reverse. */
  chord(keys: string[]): Promise<void>;
  cursor(): Promise<Point>;
  /** Lets go of every key and button this computer holds. Idempotent, never throws. */
  releaseAll(): Promise<void>;
  /** `releaseAll`, then frees connections and child processes. */
  close(): Promise<void>;
}
