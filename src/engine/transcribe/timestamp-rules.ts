/** What may be generated next. */
export interface TimestampRules {
  /** Text is below this token; timestamps are from `firstTimestamp` on. */
  endOfText: number;
  firstTimestamp: number;
  /** Never generated. */
  suppressed: readonly number[];
  /** Never generated first. */
  suppressedFirst: readonly number[];
  /** The latest timestamp to begin with, in steps of 20 ms. */
  maxInitialTimestamp: number;
}

/**
 * Sets logits of tokens that must not come after `generated` to -Infinity, as OpenAI's decoder does (whisper/decoding.py):
 * a window begins with an early timestamp; timestamps come in pairs, or before the end; they never go back, and a segment is
 * never empty; and where all timestamps together are more likely than any text, it is a timestamp.
 */
export function applyTimestampRules(logits: Float32Array, generated: readonly number[], rules: TimestampRules): void {
  const { endOfText, firstTimestamp, suppressed, suppressedFirst, maxInitialTimestamp } = rules;
  const isTimestamp = (token: number | undefined): boolean => token !== undefined && token >= firstTimestamp;
  for (const token of suppressed) logits[token] = -Infinity;
  if (generated.length === 0) {
    for (const token of suppressedFirst) logits[token] = -Infinity;
    logits.fill(-Infinity, 0, firstTimestamp);
    logits.fill(-Infinity, firstTimestamp + maxInitialTimestamp + 1);
    return;
  }
  const afterTimestamp = isTimestamp(generated.at(-1));
  const afterPair = afterTimestamp && (generated.length < 2 || isTimestamp(generated.at(-2)));
  if (afterPair) logits.fill(-Infinity, firstTimestamp);
  else if (afterTimestamp) logits.fill(-Infinity, 0, endOfText);
  const latest = generated.findLast(isTimestamp);
  // The second of a pair may repeat the first; a new segment's end may not be its beginning.
  if (latest !== undefined) logits.fill(-Infinity, firstTimestamp, afterTimestamp && !afterPair ? latest : latest + 1);
  if (logSumExp(logits, firstTimestamp) > largest(logits, 0, firstTimestamp)) logits.fill(-Infinity, 0, firstTimestamp);
}

/** log of the sum of exponentials of `values` from `from` on. */
export function logSumExp(values: Float32Array, from = 0): number {
  const top = largest(values, from, values.length);
  if (top === -Infinity) return -Infinity;
  let sum = 0;
  for (let i = from; i < values.length; i++) sum += Math.exp(values[i]! - top);
  return top + Math.log(sum);
}

function largest(values: Float32Array, from: number, to: number): number {
  let top = -Infinity;
  for (let i = from; i < to; i++) if (values[i]! > top) top = values[i]!;
  return top;
}
