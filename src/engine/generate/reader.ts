import { throwIfAborted } from "../../core/errors.js";

/** Pieces that may wait for a reader before what makes them is held up. */
const READ_AHEAD = 32;

/** Pieces on their way from a generation, which does not wait, to its reader, who may be slow. */
export class Reader<T> {
  readonly #waiting: T[] = [];
  #ended = false;
  #wake: (() => void) | undefined;

  /** Whether the reader keeps up. */
  get isReady(): boolean {
    return this.#waiting.length < READ_AHEAD;
  }

  push(piece: T): void {
    this.#waiting.push(piece);
    this.#wake?.();
  }

  /** Nothing more comes. */
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /**
   * The pieces, until the end.
   * @param onTaken told after each that the reader took.
   * @throws DeskhandError `cancelled` as soon as the signal aborts: pieces still waiting are dropped.
   */
  async *pieces(signal: AbortSignal | undefined, onTaken: () => void): AsyncGenerator<T, void> {
    for (;;) {
      const piece = this.#waiting.shift();
      if (piece !== undefined) {
        yield piece;
        throwIfAborted(signal);
        onTaken();
      } else if (this.#ended) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
      throwIfAborted(signal);
    }
  }
}
