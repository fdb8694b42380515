import { DeskhandError } from "../core/errors.js";
import type { InputItem } from "./schemas/responses-request.js";
import type { ResponseObject } from "./schemas/responses-answer.js";

/** A response, under way or ended, and the conversation up to its input. */
export interface StoredResponse {
  response: ResponseObject;
  /** Everything that was said before the response, oldest first. */
  items: readonly InputItem[];
  /** Ends it while it is under way. */
  controller: AbortController;
  /** Resolves when it has ended. */
  ended: Promise<void>;
}

export interface StoreLimits {
  maxStoredResponses: number;
  /** All conversations together, their pictures included. */
  maxStoredBytes: number;
}

/** Responses by their ids, in memory; the one that was not asked for longest goes first. */
export class ResponseStore {
  readonly #limits: StoreLimits;
  readonly #entries = new Map<string, { stored: StoredResponse; bytes: number }>();
  #bytes = 0;

  constructor(limits: StoreLimits) {
    this.#limits = limits;
  }

  /** @throws DeskhandError `not_found`; `param` says which field of a request named it. */
  get(id: string, param?: string): StoredResponse {
    const entry = this.#entries.get(id);
    if (entry === undefined) throw new DeskhandError("not_found", `Expected the id of a response that this server remembers but received ${JSON.stringify(id)}. Old ones are forgotten, and so are those with store: false.`, { param });
    this.#entries.delete(id);
    this.#entries.set(id, entry);
    return entry.stored;
  }

  /** Keeps a response, and forgets old ones for it that are not under way. */
  put(stored: StoredResponse): void {
    const { id } = stored.response;
    this.#remove(id);
    const bytes = textBytes(stored.items) + textBytes(stored.response.output);
    this.#entries.set(id, { stored, bytes });
    this.#bytes += bytes;
    for (const [old, entry] of this.#entries) {
      if (this.#entries.size <= this.#limits.maxStoredResponses && this.#bytes <= this.#limits.maxStoredBytes) break;
      if (old !== id && !isUnderWay(entry.stored.response)) this.#remove(old);
    }
  }

  /** Forgets a response, and ends it where it is under way. @throws DeskhandError `not_found`. */
  delete(id: string): void {
    const { controller, response } = this.get(id);
    if (isUnderWay(response)) controller.abort(new DeskhandError("cancelled", "The response was deleted."));
    this.#remove(id);
  }

  forget(id: string): void {
    this.#remove(id);
  }

  has(id: string): boolean {
    return this.#entries.has(id);
  }

  #remove(id: string): void {
    this.#bytes -= this.#entries.get(id)?.bytes ?? 0;
    this.#entries.delete(id);
  }
}

export function isUnderWay({ status }: ResponseObject): boolean {
  return status === "queued" || status === "in_progress";
}

/** About what a value takes: its texts, which is where pictures are. */
function textBytes(value: unknown): number {
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null) return 8;
  return Object.values(value).reduce<number>((sum, part) => sum + textBytes(part), 64);
}
