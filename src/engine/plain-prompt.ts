import { DeskhandError } from "../core/errors.js";
import type { Prompt } from "./models/architecture.js";
import type { Tokenizer } from "./tokenizer/tokenizer.js";

/**
 * A prompt that goes to the model as it is: text, which the tokenizer may begin in its own way, or token ids.
 * @param param the field that it came from, for errors.
 * @throws DeskhandError `invalid_argument` for an empty one, and for ids that the model has not.
 */
export async function plainPrompt(prompt: string | readonly number[], tokenizer: Tokenizer, vocabSize: number, { param = "prompt", signal }: { param?: string; signal?: AbortSignal } = {}): Promise<Prompt> {
  const tokenIds = typeof prompt === "string" ? await tokenizer.encodeGently(prompt, { addSpecialTokens: true, signal }) : prompt;
  if (tokenIds.length === 0) throw new DeskhandError("invalid_argument", "Expected a prompt of at least one token but it is empty.", { param });
  const unknown = tokenIds.find((id) => id >= vocabSize);
  if (unknown !== undefined) {
    throw new DeskhandError("invalid_argument", `Expected token ids below ${vocabSize} but received ${unknown}. Take them from this model's tokenizer.`, { param });
  }
  return { tokenIds, media: [] };
}
