import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { parseWith } from "../../src/core/json.js";
import { liveTensors, scope, tensor } from "../../src/engine/mlx/index.js";
import { Rope, ropeFields, ropeOf } from "../../src/engine/nn/rope.js";
import { FIXTURES, relativeError } from "./support/golden.js";

// Every way to scale rotary positions against transformers' own functions (training/golden/families/rope.py).

interface Case {
  name: string;
  head_dim: number;
  rope_theta: number;
  max_position_embeddings: number;
  rope_scaling: Record<string, unknown>;
  answers: { length: number; inverse_frequencies: number[]; attention_factor: number }[];
}

const { cases } = JSON.parse(readFileSync(`${FIXTURES}rope/frequencies.json`, "utf8")) as { cases: Case[] };
const Fields = z.object(ropeFields);
/** The references round to float32 at most of their steps. */
const TOLERANCE = 1e-6;

function ropeFrom(one: Case, fields: Record<string, unknown>): Rope {
  const { base, scaling, partialRotaryFactor } = ropeOf(parseWith(Fields, fields, "config.json"), { base: 1 });
  return new Rope({ dims: one.head_dim * partialRotaryFactor, base, scaling, maxPositions: one.max_position_embeddings });
}

/** What the reference makes of a row of ones at `position`: halves turned by its angles, times its factor. */
function turned(frequencies: readonly number[], factor: number, position: number, headDim: number): number[] {
  const half = frequencies.length;
  return Array.from({ length: headDim }, (_, i) => {
    if (i >= 2 * half) return 1;
    const angle = Math.fround(position * (frequencies[i % half] as number));
    return factor * (i < half ? Math.cos(angle) - Math.sin(angle) : Math.cos(angle) + Math.sin(angle));
  });
}

let baseline: number;
beforeEach(() => {
  baseline = liveTensors();
});
afterEach(() => expect(liveTensors()).toBe(baseline));

describe.each(cases)("$name", (one) => {
  const { type, rope_type = type, ...parameters } = one.rope_scaling;
  it.each([
    ["rope_scaling", { rope_theta: one.rope_theta, rope_scaling: one.rope_scaling }],
    ["rope_parameters", { rope_parameters: { ...parameters, rope_type, rope_theta: one.rope_theta } }],
  ])("spelled as %s, the same frequencies and factors", (_, fields) => {
    using rope = ropeFrom(one, fields);
    for (const { length, inverse_frequencies, attention_factor } of one.answers) {
      const frequencies = rope.frequencies(length);
      expect(frequencies.length).toBe(inverse_frequencies.length);
      inverse_frequencies.forEach((expected, i) => expect(Math.abs((frequencies[i] as number) / expected - 1)).toBeLessThan(TOLERANCE));
      expect(rope.attentionFactor).toBeCloseTo(attention_factor, 12);
    }
  });

  it("turns rows by them, in sequences of each length, and leaves the rest of a head alone", () => {
    using rope = ropeFrom(one, { rope_theta: one.rope_theta, rope_scaling: one.rope_scaling });
    const position = 9;
    for (const { length, inverse_frequencies, attention_factor } of one.answers) {
      using row = scope(() => rope.apply(tensor(new Float32Array(one.head_dim).fill(1), [1, 1, 1, one.head_dim]), { offset: position, length }));
      expect(relativeError(row.toArray(), turned(inverse_frequencies, attention_factor, position, one.head_dim))).toBeLessThan(1e-5);
    }
  });
});

it("the same by angles worked out beforehand", () => {
  const one = cases.find(({ name }) => name === "partial")!;
  using rope = ropeFrom(one, { rope_theta: one.rope_theta, rope_scaling: one.rope_scaling });
  const angles = Float32Array.from([...rope.frequencies(1), ...rope.frequencies(1)], (frequency) => 9 * frequency);
  using row = scope(() => {
    const x = tensor(new Float32Array(one.head_dim).fill(1), [1, 1, 1, one.head_dim]);
    return rope.apply(x, { cos: tensor(angles.map(Math.cos), [1, angles.length]), sin: tensor(angles.map(Math.sin), [1, angles.length]) });
  });
  expect(relativeError(row.toArray(), turned(one.answers[0]!.inverse_frequencies, 1, 9, one.head_dim))).toBeLessThan(1e-5);
});

describe("config.json", () => {
  const parse = (fields: Record<string, unknown>) => ropeOf(parseWith(Fields, fields, "config.json", "unsupported_model"), { base: 123 });

  it("takes a length at the top before a nested one, as Phi-3's files have it", () => {
    const { scaling } = parse({ original_max_position_embeddings: 64, rope_scaling: { type: "longrope", short_factor: [1], long_factor: [2], original_max_position_embeddings: 32 } });
    expect(scaling).toMatchObject({ rope_type: "longrope", original_max_position_embeddings: 64 });
  });

  it("needs none of it", () => {
    expect(parse({})).toEqual({ base: 123, scaling: { rope_type: "default" }, partialRotaryFactor: 1 });
    expect(parse({ rope_scaling: null, rope_theta: 5 })).toMatchObject({ base: 5 });
  });

  it("knows older words", () => {
    expect(parse({ rope_scaling: { type: "mrope", mrope_section: [16, 24, 24] } }).scaling.rope_type).toBe("default");
    expect(parse({ rope_scaling: { type: "su", short_factor: [1], long_factor: [2] } }).scaling.rope_type).toBe("longrope");
  });

  it("refuses other types by name", () => {
    expect(() => parse({ rope_scaling: { rope_type: "spiral", factor: 2 } })).toThrow(/rope_scaling\S*: Expected rope_type to be one of default, linear, dynamic, llama3, yarn, longrope but received "spiral"/);
    expect(() => parse({ rope_parameters: { type: "spiral" } })).toThrow(/rope_parameters.*received "spiral"/);
    expect(() => parse({ rope_scaling: { rope_type: "llama3", factor: 2 } })).toThrow(/rope_scaling\.low_freq_factor/);
  });

  it("refuses longrope factors that do not fit the head", () => {
    expect(() => new Rope({ dims: 8, base: 10, maxPositions: 100, scaling: { rope_type: "longrope", short_factor: [1, 1, 1, 1], long_factor: [2] } })).toThrow(/long_factor of the rope scaling to have 4 entries/);
  });
});
