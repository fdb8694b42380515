import type { ChatCompletionContentPart, ChatCompletionFunctionTool, ChatCompletionMessageParam } from "openai/resources/chat/completions";
import type { ModelReply } from "../model-client.js";
import type { Conversation, Notice, Turn } from "./dialect.js";
import { firstPictureKept } from "./history.js";

/** How a family's conversation looks, where it is user and assistant in turn with a screenshot in each of the user's messages. */
export interface ChatStyle {
  system?: string;
  /** What stands before the first screenshot. */
  opening: string;
  /** What stands before every later one; nothing when it is empty. */
  next: string;
  turnsBetweenCompactions: number;
  /** What to do about a reply that could not be used. */
  tryAgain: string;
}

const ZOOMED = "The part of the screen that you asked for, enlarged. Coordinates now count from the corner of this picture:";

/** The messages of a conversation: it only grows at its end, but for the steps at which old pictures go. */
export function renderChat({ turns, picture, zoomed, notice, correction }: Conversation, style: ChatStyle): ChatCompletionMessageParam[] {
  const messages: ChatCompletionMessageParam[] = style.system === undefined ? [] : [{ role: "system", content: style.system }];
  const firstPicture = firstPictureKept(turns.length, style.turnsBetweenCompactions);
  const user = (shown: Pick<Turn, "picture" | "zoomed" | "notice">, index: number) => {
    const kept = index >= firstPicture;
    const words = index === 0 ? style.opening : shown.zoomed ? ZOOMED : style.next;
    const content: ChatCompletionContentPart[] = [
      ...(words === "" ? [] : [text(words)]),
      kept ? image(shown.picture) : text("(earlier screenshot, no longer shown)"),
      ...noticeParts(shown.notice, kept),
    ];
    messages.push({ role: "user", content });
  };
  turns.forEach((turn, index) => {
    user(turn, index);
    messages.push(...replay(turn));
  });
  user({ picture, zoomed, notice }, turns.length);
  if (correction) {
    messages.push(
      { role: "assistant", content: asText(correction.reply) },
      { role: "user", content: `Nothing was done, because your last reply could not be used. ${correction.reason}\n${style.tryAgain}` },
    );
  }
  return messages;
}

/** The program's own functions, as the chat interface has them. */
export function chatFunctions({ functions = [] }: Conversation): ChatCompletionFunctionTool[] {
  return functions.map(({ name, description, parameters }) => ({ type: "function", function: { name, description, parameters } }));
}

function text(text: string): ChatCompletionContentPart {
  return { type: "text", text };
}

function image(url: string): ChatCompletionContentPart {
  return { type: "image_url", image_url: { url } };
}

/** The words stay when the pictures go. */
function noticeParts(notice: Notice | undefined, withPicture: boolean): ChatCompletionContentPart[] {
  if (!notice) return [];
  return notice.detail !== undefined && withPicture ? [text(notice.text), image(notice.detail)] : [text(notice.text)];
}

/** A past reply as the server gave it: a structured call needs its tool message, a call in the text does not. */
function replay({ reply, refused }: Turn): ChatCompletionMessageParam[] {
  if (reply.toolCalls.length === 0) return [{ role: "assistant", content: reply.text }];
  return [
    {
      role: "assistant",
      content: reply.text || null,
      tool_calls: reply.toolCalls.map((call) => ({ id: call.id, type: "function" as const, function: { name: call.name, arguments: call.arguments } })),
    },
    ...reply.toolCalls.map((call) => ({ role: "tool" as const, tool_call_id: call.id, content: refused ? "Refused." : "Done." })),
  ];
}

/** An unusable reply goes back as plain text: servers refuse structured calls whose arguments are not JSON. */
function asText(reply: ModelReply): string {
  const calls = reply.toolCalls.map((call) => `<tool_call>\n{"name": ${JSON.stringify(call.name)}, "arguments": ${call.arguments}}\n</tool_call>`);
  return [reply.text, ...calls].filter((part) => part !== "").join("\n") || "(nothing)";
}
