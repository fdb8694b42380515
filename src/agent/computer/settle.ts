import { setTimeout as sleep } from "node:timers/promises";
import { throwIfAborted } from "../../core/errors.js";
import type { Computer, Screenshot } from "./computer.js";

export interface SettleOptions {
  /** How many pairs of successive frames must be equal. */
  equalFrames?: number;
  /** Time between two captures. */
  intervalMs?: number;
  /** Before this much time has passed nothing counts as settled: applications answer an event only after a while, and the window of one that ends goes last. */
  minMs?: number;
  /** The longest wait; a screen that still changes (a video) is taken as it is. */
  capMs?: number;
  signal?: AbortSignal;
}

export interface Settled {
  /** The last frame, so that the caller needs no further capture. */
  frame: Screenshot;
  /** False when the cap ended the wait. */
  settled: boolean;
  elapsedMs: number;
  captures: number;
}

/**
 * A blinking caret must not look like a screen that still changes. Toolkits draw it 1 to 2 px wide, terminals as a block of one
 * character cell; a line of text is seldom taller than this. Logical pixels: multiplied by the display's scale.
 */
const CARET: CaretSize = { widthPx: 12, heightPx: 40 };
/** A toolkit's caret and nothing wider: the tick of a small check box is no caret. */
export const THIN_CARET: CaretSize = { widthPx: 3, heightPx: 40 };

/** In logical pixels. */
export interface CaretSize {
  widthPx: number;
  heightPx: number;
}

/**
 * Waits until the screen stands still: until `equalFrames` successive captures equal the one before, but for a caret.
 * @throws DeskhandError `cancelled` when the signal aborts.
 */
export async function settle(computer: Computer, options: SettleOptions = {}): Promise<Settled> {
  const { equalFrames = 2, intervalMs = 30, minMs = 350, capMs = 2000, signal } = options;
  const { scale } = await computer.display();
  const startMs = performance.now();
  let frame = await computer.capture(signal);
  let captures = 1;
  let equal = 0;
  for (;;) {
    const elapsedMs = performance.now() - startMs;
    const settled = equal >= equalFrames && elapsedMs >= minMs;
    if (settled || elapsedMs >= capMs) return { frame, settled, elapsedMs, captures };
    await pause(Math.min(intervalMs, capMs - elapsedMs), signal);
    const next = await computer.capture(signal);
    captures += 1;
    equal = sameButForCaret(frame, next, scale) ? equal + 1 : 0;
    frame = next;
  }
}

/** Whether two frames (RGBA) differ at most inside one box the size of a caret. */
export function sameButForCaret(a: Screenshot, b: Screenshot, scale: number, caret = CARET): boolean {
  if (a.widthPx !== b.widthPx || a.heightPx !== b.heightPx) return false;
  if (Buffer.compare(a.data, b.data) === 0) return true;
  const maxWidth = caret.widthPx * scale;
  const maxHeight = caret.heightPx * scale;
  const [pixelsA, pixelsB] = [pixels(a.data), pixels(b.data)];
  let left = Infinity;
  let right = -Infinity;
  let top = -1;
  for (let y = 0, i = 0; y < a.heightPx; y++) {
    for (let x = 0; x < a.widthPx; x++, i++) {
      if (pixelsA[i] === pixelsB[i]) continue;
      if (top < 0) top = y;
      left = Math.min(left, x);
      right = Math.max(right, x);
      if (right - left >= maxWidth || y - top >= maxHeight) return false;
    }
  }
  return true;
}

/** RGBA bytes as one number a pixel; copied when they do not start on a word. */
function pixels(data: Uint8Array): Uint32Array {
  const aligned = data.byteOffset % 4 === 0 ? data : data.slice();
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength >> 2);
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
  throwIfAborted(signal);
}
