import { DeskhandError } from "../../core/errors.js";
import type { RopeScaling } from "./rope-scaling.js";

// Reference: transformers 5.23, modeling_rope_utils.py. Frequencies are float32 there, and rounded as often here.

export interface RopeOptions {
  /** How many of a head's features are rotated; even. */
  dims: number;
  base: number;
  scaling?: RopeScaling;
  /** `max_position_embeddings` of the config. */
  maxPositions: number;
}

/** The length up to which `dynamic` and `longrope` use the frequencies of short sequences; `undefined` where length does not matter. */
export function lengthLimit({ scaling, maxPositions }: RopeOptions): number | undefined {
  if (scaling?.rope_type === "dynamic") return maxPositions;
  return scaling?.rope_type === "longrope" ? (scaling.original_max_position_embeddings ?? maxPositions) : undefined;
}

/** `[dims / 2]`: radians a position, for a sequence of `length` rows (which only `dynamic` and `longrope` look at). */
export function ropeFrequencies(options: RopeOptions, length: number): Float32Array<ArrayBuffer> {
  const { dims, base, scaling, maxPositions } = options;
  switch (scaling?.rope_type) {
    case undefined:
    case "default":
      return inverse(powers(dims, base));
    case "linear":
      return inverse(powers(dims, base)).map((frequency) => frequency / scaling.factor);
    case "dynamic": {
      const reached = Math.max(length, maxPositions);
      return inverse(powers(dims, base * ((scaling.factor * reached) / maxPositions - (scaling.factor - 1)) ** (dims / (dims - 2))));
    }
    case "llama3":
      return llama3(inverse(powers(dims, base)), scaling, scaling.original_max_position_embeddings ?? maxPositions);
    case "yarn":
      return yarn(options, scaling);
    case "longrope": {
      const name = length > (scaling.original_max_position_embeddings ?? maxPositions) ? "long_factor" : "short_factor";
      const factors = scaling[name];
      if (factors.length !== dims / 2) throw new DeskhandError("invalid_model", `Expected ${name} of the rope scaling to have ${dims / 2} entries, one a rotated pair, but it has ${factors.length}.`);
      return inverse(powers(dims, base).map((power, i) => Math.fround(factors[i] as number) * power));
    }
  }
}

/** What queries and keys are multiplied with after the rotation. */
export function ropeAttentionFactor({ scaling, maxPositions }: RopeOptions): number {
  if (scaling?.rope_type !== "yarn" && scaling?.rope_type !== "longrope") return 1;
  if (scaling.attention_factor != null) return scaling.attention_factor;
  const original = scaling.original_max_position_embeddings ?? maxPositions;
  const factor = scaling.factor ?? maxPositions / original;
  if (scaling.rope_type === "longrope") return factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(original));
  const magnitude = (scale: number): number => (factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1);
  const { mscale, mscale_all_dim } = scaling;
  return mscale && mscale_all_dim ? magnitude(mscale) / magnitude(mscale_all_dim) : magnitude(1);
}

/** base^(2i / dims) for i < dims / 2. */
function powers(dims: number, base: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: dims / 2 }, (_, i) => base ** ((2 * i) / dims));
}

function inverse(periods: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  return periods.map((period) => 1 / period);
}

/** Long waves are stretched by the factor, short ones left alone, with a ramp between (Llama 3.1). */
function llama3(frequencies: Float32Array<ArrayBuffer>, scaling: Extract<RopeScaling, { rope_type: "llama3" }>, original: number): Float32Array<ArrayBuffer> {
  const { factor, low_freq_factor: low, high_freq_factor: high } = scaling;
  return frequencies.map((frequency) => {
    const wavelength = (2 * Math.PI) / frequency;
    if (wavelength > original / low) return frequency / factor;
    if (wavelength < original / high) return frequency;
    const smooth = (original / wavelength - low) / (high - low);
    return ((1 - smooth) * frequency) / factor + smooth * frequency;
  });
}

/** YaRN (arXiv:2309.00071): between the pairs that turn `beta_fast` and `beta_slow` times in the original length, a linear ramp. */
function yarn({ dims, base, maxPositions }: RopeOptions, scaling: Extract<RopeScaling, { rope_type: "yarn" }>): Float32Array<ArrayBuffer> {
  const original = scaling.original_max_position_embeddings ?? maxPositions;
  const factor = scaling.factor ?? maxPositions / original;
  const pairTurning = (turns: number): number => (dims * Math.log(original / (turns * 2 * Math.PI))) / (2 * Math.log(base));
  const [fast, slow] = [pairTurning(scaling.beta_fast ?? 32), pairTurning(scaling.beta_slow ?? 1)];
  const low = Math.max(scaling.truncate ? Math.floor(fast) : fast, 0);
  const end = Math.min(scaling.truncate ? Math.ceil(slow) : slow, dims - 1);
  const high = end === low ? end + 0.001 : end;
  return powers(dims, base).map((power, i) => {
    const stretched = Math.min(Math.max((i - low) / (high - low), 0), 1);
    return (1 / (factor * power)) * stretched + (1 / power) * (1 - stretched);
  });
}
