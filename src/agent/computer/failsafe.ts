import type { Point } from "../actions.js";
import type { Computer, Display } from "./computer.js";

export type Corner = "top-left" | "top-right" | "bottom-left" | "bottom-right";

export interface FailsafeOptions {
  /** The corner of the display that stops the agent. */
  corner?: Corner;
  /** Time between two looks at the pointer. */
  pollMs?: number;
  /** Told when the pointer cannot be read; the watch goes on. */
  onError?: (error: unknown) => void;
}

/** A pointer pushed into a corner rests on its last pixel; one more pixel allows for scaled displays, which round. */
const CORNER_SIZE_PX = 2;

const ownMoves = new WeakMap<Computer, Point>();

/** For implementations of `Computer`: notes where the agent itself sends the pointer, before it goes there. */
export function recordOwnMove(computer: Computer, to: Point): void {
  ownMoves.set(computer, { ...to });
}

/**
 * Calls `onTriggered` once when a person moves the pointer into the corner. The agent's own move there does not count, and
 * neither does a pointer that rests there already, until it has been seen elsewhere.
 * @returns a disposable that ends the watch; it does not keep the process alive.
 */
export function watchFailsafeCorner(computer: Computer, onTriggered: () => void, options: FailsafeOptions = {}): Disposable {
  const { corner = "top-left", pollMs = 50, onError } = options;
  let ended = false;
  /** Whether the pointer was outside the corner since the agent last went in, or since the watch began. */
  let armed = false;

  const look = async (): Promise<void> => {
    const display = await computer.display();
    // Read before the pointer: a move the agent starts after this line must not be forgotten below.
    const own = ownMoves.get(computer);
    const pointer = await computer.cursor();
    if (ended) return;
    if (!inCorner(pointer, display, corner)) {
      armed = true;
      if (own !== undefined && ownMoves.get(computer) === own) ownMoves.delete(computer);
    } else if (own !== undefined && inCorner(own, display, corner)) {
      armed = false;
    } else if (armed && ownMoves.get(computer) === own) {
      end();
      onTriggered();
    }
  };

  let looking = false;
  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    look()
      .catch((error: unknown) => onError?.(error))
      .finally(() => (looking = false));
  }, pollMs);
  timer.unref();

  function end(): void {
    ended = true;
    clearInterval(timer);
  }
  return { [Symbol.dispose]: end };
}

function inCorner(point: Point, display: Display, corner: Corner): boolean {
  const x = point.x - display.x;
  const y = point.y - display.y;
  const left = x < CORNER_SIZE_PX;
  const right = x >= display.width - CORNER_SIZE_PX;
  const top = y < CORNER_SIZE_PX;
  const bottom = y >= display.height - CORNER_SIZE_PX;
  return (corner.endsWith("left") ? left : right) && (corner.startsWith("top") ? top : bottom);
}
