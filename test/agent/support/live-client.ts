import type { LiveEvent } from "../../../src/agent/live/live-events.js";

/** What a browser does with the live page, without a browser: the address as the run printed it, requests with what is in it. */
export class LiveClient {
  readonly base: string;
  readonly token: string;
  /** Everything that was told, with its id, and as it came over the wire. */
  readonly told: { id: number; event: LiveEvent }[] = [];
  wire = "";
  readonly #leave = new AbortController();
  #wake = () => {};

  constructor(address: string) {
    const url = new URL(address);
    [this.base, this.token] = [url.origin, url.hash.slice(1)];
  }

  fetch(path: string, init: RequestInit & { headers?: Record<string, string> } = {}): Promise<Response> {
    return fetch(`${this.base}${path}`, { ...init, headers: { authorization: `Bearer ${this.token}`, ...init.headers } });
  }

  post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return this.fetch(path, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) });
  }

  steer(what: string): Promise<Response> {
    return this.post("/steer", { do: what });
  }

  /** Reads what is told after `lastId`. Resolves when the stream ends, by either side. */
  async follow(lastId?: number): Promise<void> {
    const response = await this.fetch("/events", { signal: this.#leave.signal, headers: lastId === undefined ? {} : { "last-event-id": String(lastId) } });
    if (response.status !== 200) throw new Error(`status ${response.status}`);
    try {
      for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
        this.wire += chunk;
        this.#read();
      }
    } catch (error) {
      if (!this.#leave.signal.aborted) throw error;
    }
  }

  leave(): void {
    this.#leave.abort();
  }

  /** The latest event of a type that fits, once there is one. */
  async sees<T extends LiveEvent["type"]>(type: T, fits: (event: Extract<LiveEvent, { type: T }>) => boolean = () => true): Promise<Extract<LiveEvent, { type: T }>> {
    for (;;) {
      const found = this.told.map(({ event }) => event).filter((event): event is Extract<LiveEvent, { type: T }> => event.type === type).findLast(fits);
      if (found) return found;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** The question that is asked, once there is one. */
  async asked(after = "0") {
    const { question } = await this.sees("asking", ({ question }) => Number(question?.id ?? 0) > Number(after));
    return question!;
  }

  #read(): void {
    const events = this.wire.split("\n\n").slice(0, -1).slice(this.told.length);
    for (const text of events) {
      const [, id, data] = /^id: (\d+)\ndata: (.*)$/.exec(text) ?? [];
      this.told.push({ id: Number(id), event: JSON.parse(data!) as LiveEvent });
    }
    this.#wake();
  }
}
