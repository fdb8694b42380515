import { throwIfAborted } from "../../core/errors.js";
import type { ChatRequest } from "../inference.js";
import type { ContentPart } from "../messages.js";
import type { FromEngine } from "./protocol.js";

/** Gets pictures that calls brought by digest alone, in the engine's process. */
export class PictureAsker {
  readonly #waiting = new Map<number, (bytes: Uint8Array) => void>();
  #next = 1;

  constructor(private readonly tell: (message: FromEngine) => void) {}

  /** A call's request, whose pictures can be read while the call lasts. */
  readable(id: number, request: ChatRequest, signal: AbortSignal): ChatRequest {
    const part = (one: ContentPart): ContentPart => {
      if (one.type !== "image" || typeof one.image !== "object" || !("sha256" in one.image)) return one;
      const { sha256, bytes } = one.image;
      return { type: "image", image: { sha256, bytes, read: () => this.#ask(id, sha256, signal), onSeen: () => this.tell({ type: "seen", sha256 }) } };
    };
    return { ...request, messages: request.messages.map((message) => (typeof message.content === "string" ? message : { ...message, content: message.content.map(part) })) };
  }

  /** Takes an answer. */
  take(number: number, bytes: Uint8Array): void {
    this.#waiting.get(number)?.(bytes);
    this.#waiting.delete(number);
  }

  async #ask(id: number, sha256: string, signal: AbortSignal): Promise<Uint8Array> {
    throwIfAborted(signal);
    const number = this.#next++;
    let leave: (() => void) | undefined;
    const bytes = await new Promise<Uint8Array | undefined>((resolve) => {
      // Whoever asked has left, and answers nothing more.
      leave = () => resolve(undefined);
      signal.addEventListener("abort", leave, { once: true });
      this.#waiting.set(number, resolve);
      this.tell({ type: "want", number, id, sha256 });
    });
    signal.removeEventListener("abort", leave!);
    this.#waiting.delete(number);
    throwIfAborted(signal);
    return bytes!;
  }
}
