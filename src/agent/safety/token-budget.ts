import { DeskhandError } from "../../core/errors.js";
import type { ReplyUsage, Sampling } from "../model-client.js";
import { Interruption } from "../stop.js";

/** How many tokens, read and written, a run may cost. */
export class TokenBudget {
  readonly #limit: number | undefined;
  #spent = 0;

  constructor(limit: number | undefined) {
    this.#limit = limit;
  }

  get spent(): number {
    return this.#spent;
  }

  /**
   * The sampling of the next request: a reply must not be longer than what is left.
   * @throws Interruption `max_tokens` when nothing is.
   */
  cap(sampling: Sampling): Sampling {
    if (this.#limit === undefined) return sampling;
    const left = this.#limit - this.#spent;
    if (left <= 0) throw new Interruption("max_tokens", `Stopped at the limit of ${this.#limit} tokens: ${this.#spent} were used.`);
    return { ...sampling, max_tokens: Math.min(sampling.max_tokens, left) };
  }

  /** @throws DeskhandError `model_server` when there is a limit and the server does not say what a reply cost. */
  spend(usage: ReplyUsage | undefined): void {
    const cost = usage ? usage.promptTokens + usage.completionTokens : NaN;
    // Servers that know the field but not the numbers leave them out.
    if (Number.isFinite(cost)) this.#spent += cost;
    else if (this.#limit !== undefined) throw new DeskhandError("model_server", "Expected the model server to report the tokens that a reply used but received no usage, so that their limit cannot be kept. Use a server that does, or do without --max-tokens.");
  }
}
