import type { ModelReply } from "../../../src/agent/model-client.js";
import type { CoordinateChain } from "../../../src/agent/coordinates.js";
import type { ScriptedReply } from "./scripted-server.js";

/** A whole reply, as the model client gives it. */
export function reply(part: Partial<ModelReply>): ModelReply {
  return { text: "", toolCalls: [], finishReason: "stop", firstPieceMs: 1, totalMs: 2, ...part };
}

/** The text form of a computer_use call. */
export function callText(args: Record<string, unknown>): string {
  return `<tool_call>\n${JSON.stringify({ name: "computer_use", arguments: args })}\n</tool_call>`;
}

/** A reply in the embedded model's own format. */
export function tinyReply(words: string, args: Record<string, unknown>, now?: "on" | "off"): ScriptedReply {
  return { text: `Action: ${words}\n${now ? `Now: ${now}\n` : ""}${callText(args)}` };
}

/** A reply with one structured computer_use call. */
export function toolReply(args: Record<string, unknown>, text = ""): ScriptedReply {
  return { text, toolCalls: [{ name: "computer_use", arguments: JSON.stringify(args) }] };
}

/** A 1000 × 1000 display on which model space, picture and desktop are the same. */
export const IDENTITY: CoordinateChain = {
  space: { kind: "relative", max: 1000 },
  sent: { width: 1000, height: 1000 },
  captured: { width: 1000, height: 1000 },
  display: { x: 0, y: 0, width: 1000, height: 1000, scale: 1 },
};
