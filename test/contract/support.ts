import type { ScriptedReply } from "../../src/engine/scripted-engine.js";

/** A text cut in two at every place, characters of two code units kept whole, and cut into single characters. */
export function splitsOf(text: string): string[][] {
  const characters = [...text];
  const halves = Array.from({ length: characters.length + 1 }, (_, at) => [characters.slice(0, at).join(""), characters.slice(at).join("")]);
  return [...halves, characters];
}

export interface Said {
  reasoning?: string;
  text?: string;
  calls?: { id: string; name: string; arguments: string }[];
}

/** One reply, in every way in which one of its parts can come in pieces. */
export function repliesOf({ reasoning = "", text = "", calls = [] }: Said): ScriptedReply[] {
  return [
    ...splitsOf(reasoning).map((pieces) => ({ reasoning: pieces, text: [text], toolCalls: calls })),
    ...splitsOf(text).map((pieces) => ({ reasoning: [reasoning], text: pieces, toolCalls: calls })),
    ...calls.flatMap((call, index) =>
      splitsOf(call.arguments).map((pieces) => ({ reasoning: [reasoning], text: [text], toolCalls: [...calls.slice(0, index), { ...call, arguments: pieces }, ...calls.slice(index + 1)] })),
    ),
  ];
}

/** An answer with everything that is hard to carry: marks of the transport, two-unit characters, escapes, empty objects. */
export const HARD: Required<Said> = {
  reasoning: "Grüße 😀\n\ndata: x",
  text: 'a\r\n\r\ndata: [DONE]\n\nevent: error\n{"error"} 東京',
  calls: [
    { id: "call_a", name: "weather", arguments: '{"city":"Zürich 😀","days":[1,2]}' },
    { id: "call_b", name: "look", arguments: "{}" },
  ],
};
