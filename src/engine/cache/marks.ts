import type { Prompt } from "../models/architecture.js";

/** Rows between two marks at least, but for the latest. */
const DISTANCE = 64;
/** Marks at the end that are kept however close they are: an answer is asked for again, or a message written anew. */
const LATEST = 2;

/**
 * Rows of a prompt that other prompts may part from it at: the beginnings of messages, and the borders of pictures. At most `max`, the first
 * and the latest.
 * @param borderTokens what messages begin with.
 */
export function marksOf({ tokenIds, media }: Prompt, borderTokens: ReadonlySet<number>, max: number): number[] {
  const isBorder = (row: number): boolean => row < tokenIds.length && borderTokens.has(tokenIds[row] as number);
  const borders = new Set(media.flatMap(({ start, end }) => [start, end]));
  tokenIds.forEach((_, row) => {
    if (isBorder(row) && !isBorder(row - 1) && !media.some(({ start, end }) => start < row && row < end)) borders.add(row);
  });
  const rows = [...borders].filter((row) => row > 0 && row < tokenIds.length).sort((a, b) => a - b);
  const latest = rows.slice(-LATEST);
  const kept: number[] = [];
  for (const row of rows) if (latest.includes(row) || row - (kept.at(-1) ?? -DISTANCE) >= DISTANCE) kept.push(row);
  return [...kept.slice(0, 1), ...kept.slice(1).slice(-(max - 1))];
}
