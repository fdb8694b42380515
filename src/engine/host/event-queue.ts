export interface EventQueueListeners {
  /** Told when the reader leaves before the end. */
  onLeave: () => void;
  /** Told once, when nothing more comes or nobody reads any more. */
  onEnd: () => void;
}

/** Events of one generation on their way from the process that makes them to whoever reads them. */
export class EventQueue<Event> implements AsyncIterableIterator<Event> {
  readonly #waiting: Event[] = [];
  #end: { error?: Error } | undefined;
  #wake: (() => void) | undefined;

  constructor(private readonly listeners: EventQueueListeners) {}

  push(event: Event): void {
    if (this.#end !== undefined) return;
    this.#waiting.push(event);
    this.#wake?.();
  }

  /** Nothing comes any more; the reader gets `error`, if there is one, after the events that came before. */
  end(error?: Error): void {
    if (this.#end !== undefined) return;
    this.#end = { error };
    this.listeners.onEnd();
    this.#wake?.();
  }

  async next(): Promise<IteratorResult<Event, undefined>> {
    while (this.#waiting.length === 0 && this.#end === undefined) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    if (this.#waiting.length > 0) return { value: this.#waiting.shift() as Event, done: false };
    const error = this.#end?.error;
    this.#end = {};
    if (error !== undefined) throw error;
    return { value: undefined, done: true };
  }

  async return(): Promise<IteratorResult<Event, undefined>> {
    this.#waiting.length = 0;
    if (this.#end === undefined) this.listeners.onLeave();
    this.end();
    return { value: undefined, done: true };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
