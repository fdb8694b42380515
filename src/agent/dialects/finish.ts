import { z } from "zod";
import { parseWith } from "../../core/json.js";
import type { ActionInput } from "../actions.js";

/** For families that have a computer tool but no way to say how a task ended. */
export const FINISH = {
  name: "finish",
  description: "Ends the task. Call it once the task is done and you have seen that it is, or when it cannot be done.",
  schema: {
    type: "object" as const,
    properties: {
      success: { type: "boolean", description: "Whether the task is done." },
      message: { type: "string", description: "The answer when the task was a question, else one sentence about the outcome." },
    },
    required: ["success", "message"],
    additionalProperties: false,
  },
};

const Arguments = z.strictObject({ success: z.boolean(), message: z.string().default("") });

export function finishAction(given: unknown): ActionInput {
  const { success, message } = parseWith(Arguments, given, `The call ${FINISH.name}(${JSON.stringify(given)})`, "model_output");
  return { type: "terminate", success, message: message || undefined };
}

/** What a reply without any call means: a question wants an answer, anything else is one. */
export function wordsAsAction(text: string): ActionInput {
  const words = text.trim();
  return words.endsWith("?") || words.endsWith("？") ? { type: "ask", question: words } : { type: "answer", text: words };
}
