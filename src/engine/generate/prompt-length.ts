import { DeskhandError } from "../../core/errors.js";

/** @throws DeskhandError `invalid_argument` for an empty prompt, `context_length_exceeded` for one that leaves no room for an answer. */
export function requireLength(promptLength: number, contextLength: number): void {
  if (promptLength === 0) throw new DeskhandError("invalid_argument", "Expected a prompt of at least one token but received an empty one.");
  if (promptLength >= contextLength) {
    throw new DeskhandError("context_length_exceeded", `Expected a prompt shorter than this model's context of ${contextLength} tokens but received ${promptLength}. Shorten the conversation, or send fewer or smaller pictures.`, { param: "messages" });
  }
}
