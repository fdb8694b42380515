import type { ChatMessage, ContentPart } from "../messages.js";

/** What an assistant would say to instructions, where a template wants an answer to every user's turn. */
const ACKNOWLEDGEMENT = "Understood.";
const BETWEEN = "\n\n";

/** Neighbours of one role become one message, for templates that want roles to alternate. Results of tools stay apart. */
export function mergeNeighbours(messages: readonly ChatMessage[]): ChatMessage[] {
  const merged: ChatMessage[] = [];
  for (const message of messages) {
    const last = merged.at(-1);
    if (last === undefined || last.role !== message.role || message.role === "tool") merged.push(message);
    else merged[merged.length - 1] = joined(last, message);
  }
  return merged;
}

/** System messages become the user's, acknowledged where the user goes on; then neighbours are merged. For templates without a system role. */
export function systemToUser(messages: readonly ChatMessage[]): ChatMessage[] {
  const folded = mergeNeighbours(messages).flatMap((message, index, all): ChatMessage[] => {
    if (message.role !== "system") return [message];
    const user: ChatMessage = { role: "user", content: message.content };
    return all[index + 1]?.role === "user" ? [user, { role: "assistant", content: ACKNOWLEDGEMENT }] : [user];
  });
  return mergeNeighbours(folded);
}

function joined(first: ChatMessage, second: ChatMessage): ChatMessage {
  const content = joinedContent(first.content, second.content);
  if (first.role !== "assistant" || second.role !== "assistant") return { ...first, content };
  const toolCalls = [...(first.toolCalls ?? []), ...(second.toolCalls ?? [])];
  return { role: "assistant", content, ...(toolCalls.length > 0 ? { toolCalls } : {}) };
}

function joinedContent(first: ChatMessage["content"], second: ChatMessage["content"]): ChatMessage["content"] {
  if (first.length === 0) return second;
  if (second.length === 0) return first;
  if (typeof first === "string" && typeof second === "string") return first + BETWEEN + second;
  return [...partsOf(first), { type: "text", text: BETWEEN }, ...partsOf(second)];
}

function partsOf(content: ChatMessage["content"]): ContentPart[] {
  return typeof content === "string" ? [{ type: "text", text: content }] : content;
}
