import { DeskhandError, isDeskhandError } from "../core/errors.js";
import type { ChatRequest } from "../engine/inference.js";
import type { PictureResolver } from "./pictures/resolver.js";
import { ChatCompletionRequest, type ContentPart, type Message } from "./schemas/chat-request.js";
import { parseRequest, pathText } from "./schemas/parse.js";
import { rejectUnsupported } from "./schemas/unsupported.js";
import { toChatRequest } from "./to-chat-request.js";

// Other interfaces take more stop strings.
const Fields = ChatCompletionRequest.omit({ messages: true, stop: true });

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

  /**
   * The engine's form of the request that these messages make with the other fields, which are those of a chat request.
   * @param nameOf what the client calls one of those fields, or something in it
   */
  async toChatRequest({ stop, ...fields }: Record<string, unknown> & { stop?: string[] | null }, nameOf: (param: string) => string, pictures: PictureResolver, signal: AbortSignal): Promise<ChatRequest> {
    try {
      rejectUnsupported(fields);
      return await toChatRequest({ ...parseRequest(Fields, fields), stop, messages: this.messages }, pictures, signal);
    } catch (error) {
      throw this.#renamed(error, nameOf);
    }
  }

  #renamed(error: unknown, nameOf: (param: string) => string): unknown {
    if (!isDeskhandError(error) || error.param === undefined) return error;
    const { param } = error;
    const place = [...this.#origins].find(([translated]) => param === translated || param.startsWith(`${translated}.`))?.[1];
    const name = place ?? nameOf(param);
    return name === param ? error : new DeskhandError(error.code, error.message.replaceAll(param, name), { cause: error, param: name });
  }
}
