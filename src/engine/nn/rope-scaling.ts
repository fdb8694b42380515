import { z } from "zod";

const positive = z.number().positive();
const length = z.number().int().positive();

const perLayerType = z.undefined("Expected one rope for all layers: ropes by layer type are supported in gemma3 only").optional();
/** Refuses ropes by layer type. */
export const oneRope = { full_attention: perLayerType, sliding_attention: perLayerType };
/** `rope_theta` and `partial_rotary_factor` stand here in folders saved by transformers 5, at the top of the config elsewhere. */
const common = { rope_theta: positive.optional(), partial_rotary_factor: positive.max(1).optional(), ...oneRope };

const Default = z.object({ rope_type: z.literal("default"), ...common });
const Linear = z.object({ rope_type: z.literal("linear"), factor: positive, ...common });
const Dynamic = z.object({ rope_type: z.literal("dynamic"), factor: positive, alpha: z.null("Expected no alpha: dynamic rope scaling is supported by factor only").optional(), ...common });
const Llama3 = z.object({
  rope_type: z.literal("llama3"),
  factor: positive,
  low_freq_factor: positive,
  high_freq_factor: positive,
  original_max_position_embeddings: length.optional(),
  ...common,
});
const Yarn = z.object({
  rope_type: z.literal("yarn"),
  factor: positive.nullish(),
  original_max_position_embeddings: length.optional(),
  attention_factor: positive.nullish(),
  beta_fast: positive.nullish(),
  beta_slow: positive.nullish(),
  mscale: z.number().nullish(),
  mscale_all_dim: z.number().nullish(),
  truncate: z.boolean().default(true),
  /** Of Ministral 3: how its queries grow with their position. */
  llama_4_scaling_beta: z.number().nonnegative().optional(),
  ...common,
});
const LongRope = z.object({
  rope_type: z.literal("longrope"),
  short_factor: z.array(positive).min(1),
  long_factor: z.array(positive).min(1),
  factor: positive.nullish(),
  attention_factor: positive.nullish(),
  original_max_position_embeddings: length.optional(),
  ...common,
});

const KNOWN = [Default, Linear, Dynamic, Llama3, Yarn, LongRope] as const;
const NAMES = KNOWN.map(({ shape }) => shape.rope_type.value).join(", ");

/** Older folders' words: several axes of positions (Qwen-VL) scale nothing, and Phi-3's first files call longrope "su". */
const OLDER: Readonly<Record<string, string>> = { mrope: "default", su: "longrope" };

/**
 * How rotary frequencies are changed for sequences longer than the model was first trained on: `rope_scaling` of older
 * config.json files (also with `type` for `rope_type`), `rope_parameters` of newer ones.
 */
export const RopeScaling = z.preprocess(
  (value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    const { type, rope_type = type ?? "default", ...rest } = value as Record<string, unknown>;
    return { ...rest, rope_type: typeof rope_type === "string" ? (OLDER[rope_type] ?? rope_type) : rope_type };
  },
  z.discriminatedUnion("rope_type", KNOWN, {
    error: ({ input }) => `Expected rope_type to be one of ${NAMES} but received ${JSON.stringify((input as { rope_type?: unknown } | null | undefined)?.rope_type ?? input)}`,
  }),
);
export type RopeScaling = z.output<typeof RopeScaling>;

/** The fields of a text config that say how positions rotate, in both spellings: spread into a family's schema, read by `ropeOf`. */
export const ropeFields = {
  rope_theta: positive.nullish(),
  rope_scaling: RopeScaling.nullish(),
  rope_parameters: RopeScaling.nullish(),
  partial_rotary_factor: positive.max(1).nullish(),
  original_max_position_embeddings: length.nullish(),
};

export type RopeFields = z.output<z.ZodObject<typeof ropeFields>>;

export interface RopeSettings {
  base: number;
  scaling: RopeScaling;
  /** The part of a head's features that is rotated. */
  partialRotaryFactor: number;
}

/** One answer from both spellings, of which the older goes first. As in transformers, `original_max_position_embeddings` at the top goes before a nested one. */
export function ropeOf(fields: RopeFields, defaults: { base: number }): RopeSettings {
  const written = fields.rope_scaling ?? fields.rope_parameters ?? { rope_type: "default" as const };
  const original = fields.original_max_position_embeddings;
  const scaling = original != null && (written.rope_type === "llama3" || written.rope_type === "yarn" || written.rope_type === "longrope") ? { ...written, original_max_position_embeddings: original } : written;
  return {
    base: written.rope_theta ?? fields.rope_theta ?? defaults.base,
    scaling,
    partialRotaryFactor: written.partial_rotary_factor ?? fields.partial_rotary_factor ?? 1,
  };
}
