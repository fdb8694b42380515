import { DeskhandError, isDeskhandError } from "../core/errors.js";
import type { ChatRequest } from "../engine/inference.js";
import type { ToolsRequest } from "./legacy-functions.js";
import type { PictureResolver } from "./pictures/resolver.js";
import type { ContentPart, Message } from "./schemas/chat-request.js";
import { pathText } from "./schemas/parse.js";
import { toChatRequest } from "./to-chat-request.js";

/** A part of a message and where the client's own request has it. */
export interface PlacedPart {
  part: ContentPart;
  origin: string;
}

/**
 * Messages of another interface, written down as those of a chat request: what a chat request can ask for is then done in one place. Errors
 * still name the client's own fields.
 */
export class TranslatedMessages {
  readonly messages: Message[] = [];
  readonly #origins = new Map<string, string>();

  /** Content as a string where it is one text, which is what most templates expect. */
  content(parts: readonly PlacedPart[]): string | ContentPart[] {
    const [first] = parts;
    if (first === undefined) return "";
    if (parts.length === 1 && first.part.type === "text") return first.part.text;
    for (const [index, { origin }] of parts.entries()) this.#origins.set(pathText(["messages", this.messages.length, "content", index]), origin);
    return parts.map(({ part }) => part);
  }

  /** The engine's form of the request that these messages make with the other fields. */
  async toChatRequest(fields: Omit<ToolsRequest, "messages">, pictures: PictureResolver, signal: AbortSignal): Promise<ChatRequest> {
    try {
      return await toChatRequest({ ...fields, messages: this.messages }, pictures, signal);
    } catch (error) {
      throw this.#renamed(error);
    }
  }

  #renamed(error: unknown): unknown {
    if (!isDeskhandError(error) || error.param === undefined) return error;
    const { param } = error;
    for (const [translated, origin] of this.#origins) {
      if (param === translated || param.startsWith(`${translated}.`)) return new DeskhandError(error.code, error.message.replaceAll(param, origin), { cause: error, param: origin });
    }
    return error;
  }
}
