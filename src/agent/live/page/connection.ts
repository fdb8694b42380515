import { serverSentEvents } from "../../../server/page/server-sent.js";
import type { LiveEvent } from "../live-events.js";

const KEY = "deskhand.live";
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 5_000;

/** `refused`: the address lacks what lets a person in, or brings that of another run. */
export type Link = "connecting" | "open" | "lost" | "refused";

/** The page's way to its server. What lets a person in comes with the address, and leaves the address bar at once. */
export class Connection {
  readonly #token: string;
  #seen = 0;

  constructor() {
    const given = location.hash.slice(1);
    if (given !== "") {
      sessionStorage.setItem(KEY, given);
      history.replaceState(null, "", location.pathname);
    }
    this.#token = sessionStorage.getItem(KEY) ?? "";
    // A new address in an open tab changes nothing but this.
    addEventListener("hashchange", () => location.reload());
  }

  /** Tells every event once, from the beginning and across lost connections, until `isOver` says after one that no more will come. */
  async follow(onEvent: (event: LiveEvent) => void, onLink: (link: Link) => void, isOver: () => boolean): Promise<void> {
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
      try {
        const response = await this.#fetch("events", { headers: { "last-event-id": String(this.#seen) } });
        if (response.status === 401) return onLink("refused");
        if (response.ok) {
          onLink("open");
          waitMs = FIRST_WAIT_MS;
          for await (const { id, data } of serverSentEvents(response)) {
            this.#seen = Number(id);
            onEvent(JSON.parse(data) as LiveEvent);
          }
        }
      } catch {
        // The server is gone, or out of reach for now: asked again below.
      }
      onLink("lost");
      if (isOver()) return;
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }

  /** A picture as an address for `<img>`; whoever has it shown revokes it. */
  async picture(path: string): Promise<string> {
    const response = await this.#fetch(path);
    if (!response.ok) throw new Error(await problemOf(response));
    return URL.createObjectURL(await response.blob());
  }

  /** @throws Error that says what is wrong, for people. */
  async send(path: string, body: object): Promise<void> {
    const response = await this.#fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) }).catch(() => undefined);
    if (!response) throw new Error("The run cannot be reached: it has ended, or the connection is lost.");
    if (!response.ok) throw new Error(await problemOf(response));
  }

  #fetch(path: string, init: RequestInit & { headers?: Record<string, string> } = {}): Promise<Response> {
    return fetch(path, { ...init, cache: "no-store", headers: { ...init.headers, authorization: `Bearer ${this.#token}` } });
  }
}

async function problemOf(response: Response): Promise<string> {
  try {
    return ((await response.json()) as { error: { message: string } }).error.message;
  } catch {
    return `The run answered with status ${response.status}.`;
  }
}
