import type { ToolCallDelta, Usage } from "./chat-api.js";

/** What was said. It lives as long as the tab does. */

export interface Picture {
  name: string;
  /** `data:` URL. */
  url: string;
}

export interface ToolCall {
  id: string;
  name: string;
  /** JSON text, as the model wrote it. */
  arguments: string;
  /** What the user gave back. */
  result?: string;
}

export interface UserTurn {
  role: "user";
  text: string;
  pictures: Picture[];
  /** Pictures that did not fit into the tab's store and are gone since a reload. */
  lostPictures?: number;
}

export interface AssistantTurn {
  role: "assistant";
  model: string;
  text: string;
  reasoning: string;
  calls: ToolCall[];
  /** Absent while the answer is still coming. */
  end?: "stop" | "length" | "tool_calls" | "stopped" | "failed";
  problem?: { message: string; advice: string; offer?: "settings" | "retry" };
  firstTokenMs?: number;
  tokensPerSecond?: number;
  usage?: Usage;
}

export type Turn = UserTurn | AssistantTurn;

const KEY = "deskhand.conversation";

export class Conversation {
  turns: Turn[] = load();

  /** Keeps it for a reload; pictures are left out where the browser's store is too small for them. */
  save(): void {
    const kept = this.turns.filter((turn) => turn.role === "user" || turn.end !== undefined);
    const light = (): Turn[] => kept.map((turn) => (turn.role === "user" && turn.pictures.length > 0 ? { ...turn, pictures: [], lostPictures: turn.pictures.length } : turn));
    for (const turns of [() => kept, light]) {
      try {
        sessionStorage.setItem(KEY, JSON.stringify(turns()));
        return;
      } catch {
        // Over the store's size; the lighter one may fit.
      }
    }
  }

  /** As `messages` of a request. */
  messages(systemPrompt: string): object[] {
    const system = systemPrompt.trim() === "" ? [] : [{ role: "system", content: systemPrompt }];
    return [...system, ...this.turns.flatMap((turn) => (turn.role === "user" ? [userMessage(turn)] : assistantMessages(turn)))];
  }
}

/** Joins the pieces of tool calls into the turn. */
export function addCallDelta(turn: AssistantTurn, delta: ToolCallDelta): void {
  const call = (turn.calls[delta.index] ??= { id: delta.id ?? "", name: "", arguments: "" });
  call.name += delta.function?.name ?? "";
  call.arguments += delta.function?.arguments ?? "";
}

function userMessage({ text, pictures }: UserTurn): object {
  if (pictures.length === 0) return { role: "user", content: text };
  const parts = pictures.map(({ url }) => ({ type: "image_url", image_url: { url } }));
  return { role: "user", content: text === "" ? parts : [...parts, { type: "text", text }] };
}

function assistantMessages({ text, calls, end }: AssistantTurn): object[] {
  // Half a call is none; the server takes back only what it could have said.
  const whole = end === "tool_calls" ? calls : [];
  if (text === "" && whole.length === 0) return [];
  const tool_calls = whole.map(({ id, name, arguments: args }) => ({ id, type: "function", function: { name, arguments: args } }));
  const results = whole.map(({ id, result }) => ({ role: "tool", tool_call_id: id, content: result ?? "No result was given." }));
  return [{ role: "assistant", content: text === "" ? null : text, ...(tool_calls.length > 0 && { tool_calls }) }, ...results];
}

function load(): Turn[] {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "[]") as Turn[];
  } catch {
    return [];
  }
}
