import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { medianFilter, tokenTimes, warpingPath } from "../../src/engine/transcribe/alignment.js";
import { compressionRatioOf } from "../../src/engine/transcribe/decode-window.js";
import { applyTimestampRules } from "../../src/engine/transcribe/timestamp-rules.js";
import { splitWords } from "../../src/engine/transcribe/words.js";
import { Tokenizer } from "../../src/engine/tokenizer/tokenizer.js";
import { FIXTURES, readGolden } from "./support/golden.js";

// What surrounds Whisper's decoder against transformers and zlib; the best path also against every path there is.

interface File {
  rules: { end_of_text: number; first_timestamp: number; suppressed: number[]; max_initial_timestamp: number; histories: number[][] };
  alignments: number[][];
  words: { language: string; tokens: number[]; words: { text: string; indices: number[] }[] }[];
  compression: { text: string; ratio: number }[];
}

const golden = readGolden("transcribe");
const file = JSON.parse(readFileSync(`${FIXTURES}transcribe/golden.json`, "utf8")) as File;

it("allows the same tokens after what has been generated", () => {
  const { end_of_text: endOfText, first_timestamp: firstTimestamp, suppressed, max_initial_timestamp: maxInitialTimestamp, histories } = file.rules;
  const { data, shape } = golden.require("rules_logits");
  const width = shape[1]!;
  const actual = histories.map((generated, i) => {
    const logits = Float32Array.from(data.subarray(i * width, (i + 1) * width));
    applyTimestampRules(logits, generated, { endOfText, firstTimestamp, suppressed, suppressedFirst: [], maxInitialTimestamp });
    return Array.from(logits, (logit) => (Number.isFinite(logit) ? 1 : 0));
  });
  expect(actual.flat()).toEqual([...golden.require("rules_allowed").data]);
});

it("never begins a window with what must not come first", () => {
  const logits = new Float32Array(60);
  applyTimestampRules(logits, [], { endOfText: 20, firstTimestamp: 29, suppressed: [1], suppressedFirst: [29, 31], maxInitialTimestamp: 4 });
  expect([...logits.keys()].filter((token) => logits[token] === 0)).toEqual([30, 32, 33]);
});

describe("times of tokens", () => {
  it.each(file.alignments.map((times, i) => [i, times] as const))("are those of attention %i", (i, times) => {
    const { data, shape } = golden.require(`alignment_${i}`);
    const [heads, rows, columns] = shape as [number, number, number];
    // A single row has no deviation: the reference divides by zero and its times are chance.
    expect(tokenTimes({ data: data as Float32Array, heads, rows, columns }, 7)).toEqual(rows === 1 ? [0] : times);
  });

  it("are on the cheapest of all paths", () => {
    const random = (i: number): number => Math.abs(Math.sin(i * i * 12.9898 + i) * 43758.5453) % 1;
    for (const [rows, columns] of [[1, 1], [1, 6], [6, 1], [3, 5], [5, 3], [5, 6]] as const) {
      const cost = Float64Array.from({ length: rows * columns }, (_, i) => random(i + rows * 100) - 0.5);
      const at = (row: number, column: number): number => cost[row * columns + column]!;
      const cheapest = (row: number, column: number): number => {
        if (row === 0 && column === 0) return at(0, 0);
        const before = [[row - 1, column - 1], [row - 1, column], [row, column - 1]].filter(([r, c]) => r! >= 0 && c! >= 0);
        return at(row, column) + Math.min(...before.map(([r, c]) => cheapest(r!, c!)));
      };
      const path = warpingPath(cost, rows, columns);
      expect(path[0]).toEqual([rows - 1, columns - 1]);
      expect(path.at(-1)).toEqual([0, 0]);
      // float32 keeps 7 digits.
      expect(path.reduce((sum, [row, column]) => sum + at(row, column), 0)).toBeCloseTo(cheapest(rows - 1, columns - 1), 5);
    }
  });

  it("come from attention smoothed by the median of neighbours", () => {
    const row = [5, 1, 4, 2, 3, 9, 0, 8];
    const mirrored = [2, 4, 1, ...row, 0, 9, 3].slice(0, 14);
    const expected = row.map((_, i) => mirrored.slice(i, i + 7).sort((a, b) => a - b)[3]);
    expect([...medianFilter(Float32Array.from(row), 1, row.length, 7)]).toEqual(expected);
    expect([...medianFilter(Float32Array.from([3, 1, 2]), 1, 3, 7)]).toEqual([3, 1, 2]);
  });
});

it.each(file.words.map((one, i) => [i, one] as const))("groups the same tokens into words: text %i", async (_, { language, tokens, words }) => {
  const tokenizer = await Tokenizer.load(`${FIXTURES}whisper/model`);
  expect(splitWords(tokenizer, tokens, language)).toEqual(words);
});

// Node's zlib is a faster one of the same format: it may need a byte or two more or less.
it.each(file.compression.map(({ text, ratio }) => [text.slice(0, 20), text, ratio] as const))("knows how far text repeats itself: %s…", (_, text, ratio) => {
  const bytes = Buffer.byteLength(text);
  expect(Math.abs(bytes / compressionRatioOf(text) - bytes / ratio)).toBeLessThanOrEqual(2);
});
