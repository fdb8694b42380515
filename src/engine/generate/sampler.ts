import { add, argmax, argsort, astype, categorical, cumsum, divide, expandDims, full, greaterEqual, less, lessEqual, logicalAnd, logsumexp, multiply, negative, putAlongAxis, randomKey, slice, softmax, subtract, takeAlongAxis, tensor, where, type Tensor } from "../mlx/index.js";
import type { ResolvedOptions } from "./options.js";

/** Far below any logit, and finite so that differences stay numbers. */
const EXCLUDED = -1e30;

/** What restricts the tokens of one sequence by those before them, e.g. a grammar. */
export interface Constraint extends Disposable {
  /** For each token id, one bit (of id % 32 in word id / 32): whether it may come next. Ids beyond the words may not. `undefined` where all may. */
  readonly mask: Int32Array | undefined;
  /** Nothing may come next. */
  readonly ended: boolean;
  /** The token that came; `mask` is of the place behind it once this resolves. */
  accept(id: number): Promise<void>;
}

/** A drawn token and what was asked to be known about it, still on the device. */
export interface Sampled {
  /** int32 `[1, 1]` */
  token: Tensor;
  logprobs?: {
    /** Of the token, `[1, 1]`. */
    chosen: Tensor;
    /** The most likely tokens, int32 `[1, k]`, and theirs, `[1, k]`; left out where none was asked for. */
    top?: { ids: Tensor; values: Tensor };
  };
}

/** A token as it was read. */
export interface TokenChoice {
  id: number;
  /** Natural logarithms of the model's own probabilities: before temperature, penalties and constraints. */
  logprobs?: { chosen: number; top: { id: number; logprob: number }[] };
}

export function tensorsOf({ token, logprobs }: Sampled): Tensor[] {
  return [token, ...(logprobs === undefined ? [] : [logprobs.chosen, ...Object.values(logprobs.top ?? {})])];
}

export function readSampled({ token, logprobs }: Sampled): TokenChoice {
  if (logprobs === undefined) return { id: token.item() };
  const values = logprobs.top?.values.toArray() ?? [];
  const ids = logprobs.top?.ids.toArray() ?? [];
  return { id: token.item(), logprobs: { chosen: logprobs.chosen.item(), top: ids.map((id, i) => ({ id, logprob: values[i]! })) } };
}

/**
 * Picks the next token of one sequence, on the device: the forward pass after it is dispatched before the token is read. Every token before
 * has been accepted. Order: bias, penalties, constraint, then as in transformers temperature, top_k, top_p, min_p.
 */
export class Sampler implements Disposable {
  readonly #options: ResolvedOptions;
  readonly #constraint: Constraint | undefined;
  readonly #counts: Map<number, number> | undefined;
  /** The latest tokens, for the repetition penalty. */
  #latest: number[] | undefined;
  #step = 0;

  /** @param prompt is what the repetition penalty sees before the first token; the constraint is the sampler's to dispose of. */
  constructor(options: ResolvedOptions, { prompt = [], constraint }: { prompt?: readonly number[]; constraint?: Constraint } = {}) {
    this.#options = options;
    this.#constraint = constraint;
    this.#latest = options.repetitionPenalty === 1 ? undefined : prompt.slice(-options.repetitionWindow);
    this.#counts = options.presencePenalty === 0 && options.frequencyPenalty === 0 ? undefined : new Map();
  }

  /** Whether the constraint allows no further token. */
  get ended(): boolean {
    return this.#constraint?.ended === true;
  }

  /** logits `[1, V]` → the next token. */
  sample(logits: Tensor): Sampled {
    const raw = astype(logits, "float32");
    const token = this.#draw(this.#constrained(this.#adjusted(raw)));
    return { token, logprobs: this.#logprobs(raw, token) };
  }

  /** Takes note of the token that was read. Resolves when the next can be sampled. */
  async accept(id: number): Promise<void> {
    if (this.#latest !== undefined) this.#latest = [...this.#latest, id].slice(-this.#options.repetitionWindow);
    this.#counts?.set(id, (this.#counts.get(id) ?? 0) + 1);
    await this.#constraint?.accept(id);
  }

  [Symbol.dispose](): void {
    this.#constraint?.[Symbol.dispose]();
  }

  #adjusted(raw: Tensor): Tensor {
    const { logitBias, presencePenalty, frequencyPenalty, repetitionPenalty } = this.#options;
    let scores = added(raw, Object.entries(logitBias).map(([id, bias]) => [Number(id), bias])); // prettier-ignore
    scores = added(scores, [...(this.#counts ?? [])].map(([id, count]) => [id, -presencePenalty - frequencyPenalty * count])); // prettier-ignore
    const latest = this.#latest ?? [];
    return latest.length === 0 ? scores : penalized(scores, tensor(Int32Array.from(latest), [1, latest.length]), repetitionPenalty);
  }

  #constrained(scores: Tensor): Tensor {
    const mask = this.#constraint?.mask;
    if (mask === undefined) return scores;
    const vocabulary = scores.dim(-1);
    return where(tensor(bitsOf(mask, vocabulary), [1, vocabulary], "bool"), scores, full([1, 1], EXCLUDED));
  }

  #draw(scores: Tensor): Tensor {
    const { temperature, seed } = this.#options;
    if (temperature === 0) return astype(argmax(scores, -1, true), "int32");
    // One key a step: the same seed gives the same text however often the caller looks.
    const key = randomKey(seed * 2 ** 20 + this.#step++);
    const scaled = divide(scores, temperature);
    return astype(this.#restricts() ? this.#drawRestricted(scaled, key) : drawn(scaled, key), "int32");
  }

  #restricts(): boolean {
    const { topK, topP, minP } = this.#options;
    return topK > 0 || topP < 1 || minP > 0;
  }

  /** Sorts once, largest first; every restriction then keeps a beginning of the order. */
  #drawRestricted(scores: Tensor, key: Tensor): Tensor {
    const { topK, topP, minP } = this.#options;
    const order = largest(scores, topK > 0 ? topK : Infinity);
    const sorted = takeAlongAxis(scores, order, -1);
    const probabilities = softmax(sorted, -1, true);
    // What lies before a token must be less than top_p: the first is always kept.
    let kept = less(subtract(cumsum(probabilities, -1), probabilities), topP);
    if (minP > 0) kept = logicalAnd(kept, greaterEqual(probabilities, multiply(slice(probabilities, -1, 0, 1), minP)));
    return takeAlongAxis(order, drawn(where(kept, sorted, full([1, 1], EXCLUDED)), key), -1);
  }

  #logprobs(raw: Tensor, token: Tensor): Sampled["logprobs"] {
    const { logprobs: count } = this.#options;
    if (count === undefined) return undefined;
    const all = subtract(raw, logsumexp(raw, [-1], true));
    const chosen = takeAlongAxis(all, token, -1);
    if (count === 0) return { chosen };
    const ids = largest(all, count);
    return { chosen, top: { ids: astype(ids, "int32"), values: takeAlongAxis(all, ids, -1) } };
  }
}

/** Indices of the largest along the last axis, in order. */
function largest(values: Tensor, count: number): Tensor {
  const order = argsort(negative(values), -1);
  return count < values.dim(-1) ? slice(order, -1, 0, count) : order;
}

/** `[1, V]` → `[1, 1]` */
function drawn(scores: Tensor, key: Tensor): Tensor {
  return expandDims(categorical(scores, key), -1);
}

/** What each of these tokens has added to its score. */
function added(scores: Tensor, entries: readonly (readonly [id: number, amount: number])[]): Tensor {
  if (entries.length === 0) return scores;
  const ids = tensor(Int32Array.from(entries, ([id]) => id), [1, entries.length]); // prettier-ignore
  const amounts = tensor(Float32Array.from(entries, ([, amount]) => amount), [1, entries.length]); // prettier-ignore
  return putAlongAxis(scores, ids, add(takeAlongAxis(scores, ids, -1), amounts), -1);
}

/** Tokens seen lately are made less likely: positive logits divided, negative multiplied (CTRL, arXiv:1909.05858). */
function penalized(scores: Tensor, latest: Tensor, penalty: number): Tensor {
  const seen = takeAlongAxis(scores, latest, -1);
  const lowered = where(lessEqual(seen, 0), multiply(seen, penalty), divide(seen, penalty));
  return putAlongAxis(scores, latest, lowered, -1);
}

/** Bits of a mask as a byte each. */
function bitsOf(mask: Int32Array, count: number): Uint8Array<ArrayBuffer> {
  const bits = new Uint8Array(count);
  for (let word = 0; word < mask.length; word++) {
    const value = mask[word]!;
    if (value === 0) continue;
    const end = Math.min(32, count - 32 * word);
    for (let bit = 0; bit < end; bit++) bits[32 * word + bit] = (value >>> bit) & 1;
  }
  return bits;
}
