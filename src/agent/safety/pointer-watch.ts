import type { Point } from "../actions.js";
import type { Computer } from "../computer/computer.js";

/** Systems with scaled displays put a pointer a little beside where it was sent. */
const TOLERANCE_PX = 4;

export interface PointerWatchOptions {
  pollMs?: number;
  /** After this long without a movement the person is taken to have let go. */
  restMs?: number;
  /** Told every time the pointer is found somewhere else than before. */
  onMoved: () => void;
  /** Told once after movements, when the pointer has rested. */
  onRested: () => void;
}

/** Notices that a person moves the mouse: the pointer is not where the agent left it. While the agent itself acts, nothing counts. */
export class PointerWatch implements Disposable {
  readonly #computer: Computer;
  readonly #options: Required<PointerWatchOptions>;
  readonly #timer: NodeJS.Timeout;
  /** Where the pointer was left; unknown until it was looked at. */
  #left: Point | undefined;
  #movedAt: number | undefined;
  /** Goes up whenever the agent begins or ends to act: a look that straddles that tells nothing. */
  #acts = 0;
  #acting = false;

  constructor(computer: Computer, options: PointerWatchOptions) {
    this.#computer = computer;
    this.#options = { pollMs: 50, restMs: 5000, ...options };
    this.#timer = setInterval(() => void this.look(), this.#options.pollMs);
    this.#timer.unref();
  }

  /** Looks where the pointer is. A display that cannot be asked says nothing. */
  async look(): Promise<void> {
    if (this.#acting) return;
    const acts = this.#acts;
    const pointer = await this.#computer.cursor().catch(() => undefined);
    if (!pointer || acts !== this.#acts) return;
    const left = this.#left;
    this.#left = pointer;
    if (left && Math.max(Math.abs(pointer.x - left.x), Math.abs(pointer.y - left.y)) > TOLERANCE_PX) {
      this.#movedAt = performance.now();
      this.#options.onMoved();
    } else if (this.#movedAt !== undefined && performance.now() - this.#movedAt >= this.#options.restMs) {
      this.#movedAt = undefined;
      this.#options.onRested();
    }
  }

  /** Whatever moves the pointer meanwhile is the agent. */
  async whileActing<T>(act: () => Promise<T>): Promise<T> {
    this.#acts += 1;
    this.#acting = true;
    try {
      return await act();
    } finally {
      this.#left = await this.#computer.cursor().catch(() => undefined);
      this.#acts += 1;
      this.#acting = false;
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
