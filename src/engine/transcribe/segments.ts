/** Frames of log-mel features in a second, and in a step of the timestamps. */
export const FRAMES_PER_SECOND = 100;
export const FRAMES_PER_TIMESTAMP = 2;

/** Tokens of a window that belong together, and which of its frames they are about. */
export interface TokenSegment {
  /** Where its tokens begin among the window's. */
  offset: number;
  tokens: readonly number[];
  startFrame: number;
  endFrame: number;
}

/**
 * Cuts a window's tokens (the end of text left out) at pairs of timestamps, as transformers and OpenAI's decoder do. `advance` is
 * how many frames further the next window begins: at the last timestamp, unless the model heard nothing after it.
 * @param frames of the window that hold sound.
 */
export function cutSegments(tokens: readonly number[], { firstTimestamp, frames }: { firstTimestamp: number; frames: number }): { segments: TokenSegment[]; advance: number } {
  const isTimestamp = (token: number | undefined): boolean => token !== undefined && token >= firstTimestamp;
  const frameOf = (token: number | undefined): number => ((token ?? firstTimestamp) - firstTimestamp) * FRAMES_PER_TIMESTAMP;
  const silentAfter = isTimestamp(tokens.at(-1)) && tokens.length > 1 && !isTimestamp(tokens.at(-2));
  const cuts = tokens.flatMap((token, i) => (i > 0 && isTimestamp(token) && isTimestamp(tokens[i - 1]) ? [i] : []));
  if (cuts.length === 0) {
    const last = tokens.findLast(isTimestamp);
    const endFrame = last === undefined || last === firstTimestamp ? Math.floor(frames / FRAMES_PER_TIMESTAMP) * FRAMES_PER_TIMESTAMP : frameOf(last);
    return { segments: tokens.length === 0 ? [] : [{ offset: 0, tokens, startFrame: 0, endFrame }], advance: frames };
  }
  if (silentAfter) cuts.push(tokens.length);
  const segments = cuts.map((end, i): TokenSegment => {
    const offset = cuts[i - 1] ?? 0;
    const own = tokens.slice(offset, end);
    return { offset, tokens: own, startFrame: frameOf(own[0]), endFrame: frameOf(own.at(-1)) };
  });
  // What follows the last pair was cut off by the window's end: the next one hears it whole.
  return { segments, advance: silentAfter ? frames : frameOf(tokens[cuts.at(-1)! - 1]) };
}
