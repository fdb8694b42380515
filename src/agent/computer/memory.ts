import { throwIfAborted } from "../../core/errors.js";
import { MouseButton, type Point } from "../actions.js";
import type { Computer, Display, Screenshot, Windows } from "./computer.js";
import { recordOwnMove } from "./failsafe.js";
import { keyId, resolveChord } from "./keys.js";

/** One thing that was done to a `MemoryComputer`, in the order it happened. */
export type ComputerEvent =
  | { type: "move"; to: Point }
  | { type: "click"; button: MouseButton; count: number; at: Point }
  | { type: "press"; button: MouseButton; at: Point }
  | { type: "release"; button: MouseButton; at: Point }
  | { type: "scroll"; up: number; left: number; at: Point }
  | { type: "type"; text: string }
  | { type: "chord"; keys: string[] }
  | { type: "keyDown"; keys: string[] }
  | { type: "keyUp"; keys: string[] }
  | { type: "releaseAll" }
  | { type: "close" };

export interface MemoryComputerOptions {
  widthPx: number;
  heightPx: number;
  /** Where it is on the desktop; at 0, 0 unless given. */
  x?: number;
  y?: number;
  /** Captured pixels per logical pixel; 1 unless given. */
  scale?: number;
  /** Draws the screen for a capture: `frame` is RGBA in captured pixels, white before each call. */
  paint?: (frame: Screenshot, computer: MemoryComputer) => void;
  /** Whose windows are where; nobody knows unless given. */
  windows?: Windows;
  /** Called after each event has been recorded; may throw to simulate a failing system. */
  onEvent?: (event: ComputerEvent, computer: MemoryComputer) => void | Promise<void>;
}

/** A computer without a machine: it paints what the test says and writes down what was done. Sizes are logical pixels. */
export class MemoryComputer implements Computer {
  readonly buttons = MouseButton.options;
  readonly events: ComputerEvent[] = [];
  /** Buttons held now. */
  readonly held = new Set<MouseButton>();
  /** Keys held now, by `keyId`. */
  readonly heldKeys = new Set<string>();
  readonly windows: Windows | undefined;
  captures = 0;
  readonly #hotkeys = new Map<string, () => void>();
  #cursor: Point = { x: 0, y: 0 };
  readonly #options: MemoryComputerOptions;
  readonly #scale: number;

  constructor(options: MemoryComputerOptions) {
    this.#options = options;
    this.windows = options.windows;
    this.#scale = options.scale ?? 1;
    this.#cursor = { x: (options.x ?? 0) + Math.floor(options.widthPx / 2), y: (options.y ?? 0) + Math.floor(options.heightPx / 2) };
  }

  async display(): Promise<Display> {
    const { x = 0, y = 0 } = this.#options;
    return { id: "memory", x, y, width: this.#options.widthPx, height: this.#options.heightPx, scale: this.#scale };
  }

  async capture(signal?: AbortSignal): Promise<Screenshot> {
    throwIfAborted(signal);
    this.captures += 1;
    const widthPx = Math.round(this.#options.widthPx * this.#scale);
    const heightPx = Math.round(this.#options.heightPx * this.#scale);
    const frame = { data: new Uint8Array(widthPx * heightPx * 4).fill(255), widthPx, heightPx };
    this.#options.paint?.(frame, this);
    return frame;
  }

  async move(to: Point): Promise<void> {
    recordOwnMove(this, to);
    this.#cursor = { ...to };
    await this.#record({ type: "move", to });
  }

  async click(button: MouseButton, count: number): Promise<void> {
    await this.#record({ type: "click", button, count, at: { ...this.#cursor } });
  }

  async press(button: MouseButton): Promise<void> {
    this.held.add(button);
    await this.#record({ type: "press", button, at: { ...this.#cursor } });
  }

  async release(button: MouseButton): Promise<void> {
    this.held.delete(button);
    await this.#record({ type: "release", button, at: { ...this.#cursor } });
  }

  async scroll(up: number, left: number): Promise<void> {
    await this.#record({ type: "scroll", up, left, at: { ...this.#cursor } });
  }

  async type(text: string, signal?: AbortSignal): Promise<void> {
    throwIfAborted(signal);
    await this.#record({ type: "type", text });
  }

  /** Refuses unknown key names as the real computer does. */
  async chord(keys: string[]): Promise<void> {
    resolveChord(keys);
    await this.#record({ type: "chord", keys: [...keys] });
  }

  async keyDown(keys: string[]): Promise<void> {
    for (const key of resolveChord(keys)) this.heldKeys.add(keyId(key));
    await this.#record({ type: "keyDown", keys: [...keys] });
  }

  async keyUp(keys: string[]): Promise<void> {
    for (const key of resolveChord(keys)) this.heldKeys.delete(keyId(key));
    await this.#record({ type: "keyUp", keys: [...keys] });
  }

  async cursor(): Promise<Point> {
    return { ...this.#cursor };
  }

  async watchHotkey(keys: string[], onPressed: () => void): Promise<AsyncDisposable> {
    this.#hotkeys.set(keys.join("+"), onPressed);
    return { [Symbol.asyncDispose]: async () => void this.#hotkeys.delete(keys.join("+")) };
  }

  /** Presses keys as a person would: only a hot key is heard. */
  pressByPerson(keys: string): void {
    this.#hotkeys.get(keys)?.();
  }

  /** Moves the pointer as a person would: no event is recorded. */
  moveByPerson(to: Point): void {
    this.#cursor = { ...to };
  }

  async releaseAll(): Promise<void> {
    this.held.clear();
    this.heldKeys.clear();
    this.events.push({ type: "releaseAll" });
  }

  async close(): Promise<void> {
    this.held.clear();
    this.heldKeys.clear();
    this.events.push({ type: "close" });
  }

  async #record(event: ComputerEvent): Promise<void> {
    this.events.push(event);
    await this.#options.onEvent?.(event, this);
  }
}
