import type { ChordKey } from "./keys.js";

/** The keyboard of one system: `x11-keyboard.ts` or `native-keyboard.ts`. */
export interface Keyboard {
  /** Types the text exactly, or throws. */
  type(text: string, signal?: AbortSignal): Promise<void>;
  /** Presses in order, releases in reverse; releases what it pressed when one fails. */
  chord(keys: ChordKey[]): Promise<void>;
  /** Presses in order and leaves down what was not down before. */
  keyDown(keys: ChordKey[]): Promise<void>;
  /** Releases in reverse what `keyDown` has pressed of these. */
  keyUp(keys: ChordKey[]): Promise<void>;
  releaseAll(): Promise<void>;
  /** For an exiting process: what can be released without waiting. */
  releaseNow(): void;
  /** Releases everything and leaves the system as it was found. */
  close(): Promise<void>;
}

/** What is held now, in the system's own numbers, for whoever has to release it after a sudden death. */
export type OnHeld = (held: { keys: number[]; boundKeycodes: number[] }) => void;
