import { argmax, argsort, astype, categorical, cumsum, divide, expandDims, full, greaterEqual, less, lessEqual, logicalAnd, multiply, negative, putAlongAxis, randomKey, slice, softmax, subtract, takeAlongAxis, where, type Tensor } from "../mlx/index.js";
import type { ResolvedOptions } from "./options.js";

/** Far below any logit, and finite so that differences stay numbers. */
const EXCLUDED = -1e30;

/**
 * Picks the next token on the device, so that the step after it can be dispatched before the token is read.
 * Order as in transformers: repetition penalty, temperature, top_k, top_p, min_p.
 */
export class Sampler {
  readonly #options: ResolvedOptions;
  #step = 0;

  constructor(options: ResolvedOptions) {
    this.#options = options;
  }

  /** How many of the latest tokens `sample` wants to see. */
  get window(): number {
    return this.#options.repetitionPenalty === 1 ? 0 : this.#options.repetitionWindow;
  }

  /** logits `[1, V]`, the latest tokens `[1, n]` → the next token, int32 `[1, 1]` */
  sample(logits: Tensor, latest: Tensor | undefined): Tensor {
    const { temperature, repetitionPenalty, seed } = this.#options;
    let scores = astype(logits, "float32");
    if (latest !== undefined) scores = penalized(scores, latest, repetitionPenalty);
    if (temperature === 0) return astype(argmax(scores, -1, true), "int32");
    // One key a step: the same seed gives the same text however often the caller looks.
    const key = randomKey(seed * 2 ** 20 + this.#step++);
    const scaled = divide(scores, temperature);
    return astype(this.#restricts() ? this.#sampleRestricted(scaled, key) : drawn(scaled, key), "int32");
  }

  #restricts(): boolean {
    const { topK, topP, minP } = this.#options;
    return topK > 0 || topP < 1 || minP > 0;
  }

  /** Sorts once, largest first; every restriction then keeps a beginning of the order. */
  #sampleRestricted(scores: Tensor, key: Tensor): Tensor {
    const { topK, topP, minP } = this.#options;
    const every = argsort(negative(scores), -1);
    const order = topK > 0 && topK < scores.dim(-1) ? slice(every, -1, 0, topK) : every;
    const sorted = takeAlongAxis(scores, order, -1);
    const probabilities = softmax(sorted, -1, true);
    // What lies before a token must be less than top_p: the first is always kept.
    let kept = less(subtract(cumsum(probabilities, -1), probabilities), topP);
    if (minP > 0) kept = logicalAnd(kept, greaterEqual(probabilities, multiply(slice(probabilities, -1, 0, 1), minP)));
    return takeAlongAxis(order, drawn(where(kept, sorted, full([1, 1], EXCLUDED)), key), -1);
  }
}

/** `[1, V]` → `[1, 1]` */
function drawn(scores: Tensor, key: Tensor): Tensor {
  return expandDims(categorical(scores, key), -1);
}

/** Tokens seen lately are made less likely: positive logits divided, negative multiplied (CTRL, arXiv:1909.05858). */
function penalized(scores: Tensor, latest: Tensor, penalty: number): Tensor {
  const seen = takeAlongAxis(scores, latest, -1);
  const lowered = where(lessEqual(seen, 0), multiply(seen, penalty), divide(seen, penalty));
  return putAlongAxis(scores, latest, lowered, -1);
}
