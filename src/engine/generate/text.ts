import type { FinishReason, TokenLogprob } from "../inference.js";
import type { Tokenizer } from "../tokenizer/tokenizer.js";
import type { TokenChoice } from "./sampler.js";
import { StopStrings } from "./stop-strings.js";

/** What a generation yields: text that is safe to show, with the tokens that came since the last one. */
export interface TextDelta {
  /** May be empty while a character, or what could become a stop string, is incomplete. */
  text: string;
  tokenIds: number[];
  /** Of these tokens, where asked for; none of one that ends the answer. */
  logprobs?: TokenLogprob[];
}

export interface TextOptions {
  stops: readonly string[];
  /** Special tokens that stay in the text, e.g. the marks of tool calls. */
  visibleTokens?: readonly string[];
}

/**
 * Turns tokens into text until an end-of-sequence token or a stop string comes. Joined, the texts are the whole answer.
 * @returns why it ended: `length` when the tokens ran out.
 */
export async function* streamText(tokens: AsyncGenerator<TokenChoice, void>, tokenizer: Tokenizer, { stops, visibleTokens }: TextOptions): AsyncGenerator<TextDelta, Exclude<FinishReason, "tool_calls">> {
  const detokenizer = tokenizer.createDetokenizer({ visibleTokens });
  const stopStrings = new StopStrings(stops);
  const ends = new Set(tokenizer.eosTokenIds);
  for await (const { id, logprobs } of tokens) {
    if (ends.has(id)) {
      const { text, stopped } = stopStrings.feed(detokenizer.flush());
      yield { text: stopped ? text : text + stopStrings.flush(), tokenIds: [id] };
      return "stop";
    }
    const { text, stopped } = stopStrings.feed(detokenizer.push(id));
    yield { text, tokenIds: [id], ...(logprobs && { logprobs: [tokenLogprob(id, logprobs, tokenizer)] }) };
    if (stopped) return "stop";
  }
  const { text, stopped } = stopStrings.feed(detokenizer.flush());
  yield { text: stopped ? text : text + stopStrings.flush(), tokenIds: [] };
  return stopped ? "stop" : "length";
}

function tokenLogprob(id: number, { chosen, top }: NonNullable<TokenChoice["logprobs"]>, tokenizer: Tokenizer): TokenLogprob {
  return { bytes: [...tokenizer.bytesOf(id)], logprob: chosen, top: top.map((one) => ({ bytes: [...tokenizer.bytesOf(one.id)], logprob: one.logprob })) };
}
