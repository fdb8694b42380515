import { webcrypto } from "node:crypto";
import type { ChatRequest } from "../inference.js";
import type { ChatMessage, ContentPart } from "../messages.js";

/** Smaller pictures are sent sooner than hashed. */
const WORTH_NAMING_BYTES = 4096;
/** As many as the engine remembers. */
const KNOWN_MAX = 16_384;

/** A request as it goes to the engine's process, and the pictures that this may ask for while the call lasts. */
export interface LinkedRequest {
  request: ChatRequest;
  held: ReadonlyMap<string, Uint8Array>;
}

/**
 * Which pictures an engine's process has said it knows. Agents send all screenshots of a history with every step: those go by digest alone.
 * Where the engine has forgotten one after all, it asks.
 */
export class KnownPictures {
  /** The one told least lately comes first. */
  readonly #known = new Set<string>();

  add(sha256: string): void {
    this.#known.delete(sha256);
    this.#known.add(sha256);
    if (this.#known.size > KNOWN_MAX) this.#known.delete(this.#known.values().next().value!);
  }

  /** The request with its pictures by digest, and the bytes of those that are new. Hashing is done on other threads. */
  async link(request: ChatRequest): Promise<LinkedRequest> {
    const held = new Map<string, Uint8Array>();
    const part = async (one: ContentPart): Promise<ContentPart> => {
      if (!isNamed(one)) return one;
      const sha256 = Buffer.from(await webcrypto.subtle.digest("SHA-256", one.image)).toString("base64");
      held.set(sha256, one.image);
      return { type: "image", image: this.#known.has(sha256) ? { sha256 } : { sha256, bytes: one.image } };
    };
    const message = async (one: ChatMessage): Promise<ChatMessage> => (typeof one.content === "string" ? one : { ...one, content: await Promise.all(one.content.map(part)) });
    return { request: { ...request, messages: await Promise.all(request.messages.map(message)) }, held };
  }
}

/** Whether a request has pictures that are worth it. */
export function hasPictures({ messages }: ChatRequest): boolean {
  return messages.some(({ content }) => typeof content !== "string" && content.some(isNamed));
}

function isNamed(part: ContentPart): part is { type: "image"; image: Uint8Array } {
  return part.type === "image" && part.image instanceof Uint8Array && part.image.length >= WORTH_NAMING_BYTES;
}
