import { randomBytes } from "node:crypto";

/** An id for a tool call, in the form that OpenAI's clients know. */
export function newCallId(): string {
  return `call_${randomBytes(12).toString("hex")}`;
}
