/** One picture of a stream. */
export interface Frame {
  jpeg: Buffer;
  /** The how manieth of the stream it is, from 1. */
  number: number;
  /** When it came. */
  at: Date;
}

/** Place for one frame: a newer one takes the place of the one that nobody has taken yet, so nothing grows however slow the reader is. */
export class FrameSlot {
  #newest: Frame | undefined;
  #waiting = false;
  #received = 0;
  #dropped = 0;
  /** Called after every frame. */
  onPut: (() => void) | undefined;

  put(jpeg: Buffer): void {
    if (this.#waiting) this.#dropped += 1;
    this.#received += 1;
    this.#newest = { jpeg, number: this.#received, at: new Date() };
    this.#waiting = true;
    this.onPut?.();
  }

  /** The newest frame, unless it has been taken before. */
  take(): Frame | undefined {
    if (!this.#waiting) return undefined;
    this.#waiting = false;
    return this.#newest;
  }

  /** The newest frame, whether it has been taken or not. */
  get newest(): Frame | undefined {
    return this.#newest;
  }

  /** How many frames came. */
  get received(): number {
    return this.#received;
  }

  /** How many made room for a newer one before anybody took them. */
  get dropped(): number {
    return this.#dropped;
  }
}
