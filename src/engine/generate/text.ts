import type { TokenLogprob } from "../inference.js";
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

/** Turns tokens into text, one by one, until an end-of-sequence token or a stop string comes. Joined, the texts are the whole answer. */
export class TextAssembler {
  readonly #tokenizer: Tokenizer;
  readonly #detokenizer: ReturnType<Tokenizer["createDetokenizer"]>;
  readonly #stops: StopStrings;
  readonly #ends: ReadonlySet<number>;

  constructor(tokenizer: Tokenizer, { stops, visibleTokens }: TextOptions) {
    this.#tokenizer = tokenizer;
    this.#detokenizer = tokenizer.createDetokenizer({ visibleTokens });
    this.#stops = new StopStrings(stops);
    this.#ends = new Set(tokenizer.eosTokenIds);
  }

  /** The stop string that ended the text, if one did. */
  get stopString(): string | undefined {
    return this.#stops.found;
  }

  /** The text a token adds; `stopped` when it is the last: nothing is to be pushed after it. */
  push({ id, logprobs }: TokenChoice): { delta: TextDelta; stopped: boolean } {
    if (this.#ends.has(id)) return { delta: { text: this.#rest().text, tokenIds: [id] }, stopped: true };
    const { text, stopped } = this.#stops.feed(this.#detokenizer.push(id));
    return { delta: { text, tokenIds: [id], ...(logprobs && { logprobs: [tokenLogprob(id, logprobs, this.#tokenizer)] }) }, stopped };
  }

  /** What was held back, where no more tokens come; `stopped` when a stop string was complete in it. */
  end(): { delta: TextDelta; stopped: boolean } {
    const { text, stopped } = this.#rest();
    return { delta: { text, tokenIds: [] }, stopped };
  }

  #rest(): { text: string; stopped: boolean } {
    const { text, stopped } = this.#stops.feed(this.#detokenizer.flush());
    return { text: stopped ? text : text + this.#stops.flush(), stopped };
  }
}

function tokenLogprob(id: number, { chosen, top }: NonNullable<TokenChoice["logprobs"]>, tokenizer: Tokenizer): TokenLogprob {
  return { bytes: [...tokenizer.bytesOf(id)], logprob: chosen, top: top.map((one) => ({ bytes: [...tokenizer.bytesOf(one.id)], logprob: one.logprob })) };
}
