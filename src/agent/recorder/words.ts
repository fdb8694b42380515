import type { FunctionResult } from "../custom-tools.js";
import type { LabelReading, ReplyRecord, SafetyNote, StepLine } from "./records.js";

/** What people are told of a step, the same in a terminal and on pages. */

const RULINGS: Readonly<Record<SafetyNote["ruling"], string>> = { approved: "approved", allowed: "allowed without asking", refused: "refused", outdated: "approved too late", would_ask: "would ask" };

export function titleOf({ summary, error }: Pick<StepLine, "summary" | "error">): string {
  return summary ?? (error === undefined ? "(no action)" : "Not finished");
}

/** A reply as the model wrote it, its calls after its words. */
export function replyWords({ text, toolCalls }: Pick<ReplyRecord, "text" | "toolCalls">): string {
  return [text, ...toolCalls.map((call) => `${call.name}(${call.arguments})`)].filter((part) => part !== "").join("\n");
}

/** What a function of the program said. */
export function resultWords({ name, text, failed }: FunctionResult): string {
  return `${name} ${failed ? "failed" : "returned"}: ${text}`;
}

/** What was read on a control. */
export function readingWords({ at, text, failed }: LabelReading): string {
  return `read at (${at.x}, ${at.y}): ${failed === undefined ? JSON.stringify(text) : `nothing, because ${failed}`}`;
}

/** What the safety kernel made of an action. */
export function noteWords({ ruling, action, risks }: SafetyNote): string {
  return `${RULINGS[ruling]}: ${action}${risks.length > 0 ? `, because it ${risks.map(({ why }) => why).join(", and it ")}` : ""}`;
}
