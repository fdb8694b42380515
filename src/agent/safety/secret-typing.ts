import { DeskhandError, throwIfAborted } from "../../core/errors.js";
import type { Computer } from "../computer/computer.js";
import { settle } from "../computer/settle.js";
import type { HiddenParts } from "./hidden-parts.js";
import type { TypedPart } from "./secrets.js";

/** Types a text with secrets in it. `hidden` learns what that looked like, before anything else is done. */
export async function typeParts(computer: Computer, parts: readonly TypedPart[], hidden: HiddenParts, signal: AbortSignal): Promise<void> {
  for (const { value, secret } of parts) {
    if (!secret) {
      await computer.type(value, signal);
      continue;
    }
    const before = await computer.capture(signal);
    try {
      await computer.type(value, signal);
    } catch {
      throwIfAborted(signal);
      // The reason may quote what was typed.
      throw new DeskhandError("internal", "The computer could not type a secret. Does the same text, typed by hand, arrive in this field?");
    } finally {
      // However it ended, some of it may be on the screen.
      const { frame } = await settle(computer);
      hidden.learn(before, frame);
    }
  }
}
