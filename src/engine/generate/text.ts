import type { FinishReason } from "../inference.js";
import type { Tokenizer } from "../tokenizer/tokenizer.js";
import { StopStrings } from "./stop-strings.js";

/** What a generation yields: text that is safe to show, with the tokens that came since the last one. */
export interface TextDelta {
  /** May be empty while a character, or what could become a stop string, is incomplete. */
  text: string;
  tokenIds: number[];
}

export interface TextOptions {
  stops: readonly string[];
  /** Special tokens that stay in the text, e.g. the marks of tool calls. */
  visibleTokens?: readonly string[];
}

/**
 * Turns token ids into text until an end-of-sequence token or a stop string comes. Joined, the texts are the whole answer.
 * @returns why it ended: `length` when the ids ran out.
 */
export async function* streamText(ids: AsyncGenerator<number, void>, tokenizer: Tokenizer, { stops, visibleTokens }: TextOptions): AsyncGenerator<TextDelta, Exclude<FinishReason, "tool_calls">> {
  const detokenizer = tokenizer.createDetokenizer({ visibleTokens });
  const stopStrings = new StopStrings(stops);
  const ends = new Set(tokenizer.eosTokenIds);
  for await (const id of ids) {
    if (ends.has(id)) {
      const { text, stopped } = stopStrings.feed(detokenizer.flush());
      yield { text: stopped ? text : text + stopStrings.flush(), tokenIds: [id] };
      return "stop";
    }
    const { text, stopped } = stopStrings.feed(detokenizer.push(id));
    yield { text, tokenIds: [id] };
    if (stopped) return "stop";
  }
  const { text, stopped } = stopStrings.feed(detokenizer.flush());
  yield { text: stopped ? text : text + stopStrings.flush(), tokenIds: [] };
  return stopped ? "stop" : "length";
}
