import type { Constraint } from "../../../src/engine/generate/sampler.js";
import type { Tokenizer } from "../../../src/engine/tokenizer/tokenizer.js";
import type { Random } from "./random-schemas.js";

/**
 * What a model without any sense writes: of all tokens that may come next, each as likely as any other.
 * @returns the text, and whether it came to its end.
 */
export async function noise(constraint: Constraint, tokenizer: Tokenizer, random: Random, { visible = [], begin = "", maxTokens = 600 }: { visible?: readonly string[]; begin?: string; maxTokens?: number } = {}): Promise<{ text: string; isWhole: boolean }> {
  const detokenizer = tokenizer.createDetokenizer({ visibleTokens: visible });
  let text = "";
  const given = tokenizer.encode(begin);
  const anyOf = Array.from({ length: tokenizer.vocabSize }, (_, id) => id);
  for (let step = 0; step < maxTokens && !constraint.ended; step++) {
    const allowed = constraint.mask === undefined ? anyOf : idsOf(constraint.mask);
    const id = given.shift() ?? random.pick(allowed);
    if (!allowed.includes(id)) throw new Error(`token ${id} (${tokenizer.token(id)}) may not come after ${JSON.stringify(text)}`);
    if (!tokenizer.eosTokenIds.includes(id)) text += detokenizer.push(id);
    await constraint.accept(id);
  }
  return { text: text + detokenizer.flush(), isWhole: constraint.ended };
}

function idsOf(mask: Int32Array): number[] {
  return [...mask].flatMap((word, i) => (word === 0 ? [] : Array.from({ length: 32 }, (_, bit) => bit).filter((bit) => (word >>> bit) & 1).map((bit) => 32 * i + bit))); // prettier-ignore
}
