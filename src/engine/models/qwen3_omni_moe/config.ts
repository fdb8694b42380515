import { z } from "zod";
import { QuantizationConfig } from "../../nn/quantization.js";
import { MoeFields, numberOfExperts } from "../qwen3_moe/config.js";
import { Qwen3VLTextFields, resolveQwen3VLRope, VisionConfig } from "../qwen3_vl/config.js";

const positive = z.number().int().positive();
const tokenId = z.number().int().nonnegative();
/** Half the frames that are convolved together: the prompt counts 13 rows for each 100. */
const WINDOW = 50;
const ROPE_BASE = 1_000_000;

const TextConfig = z.object({ ...Qwen3VLTextFields, head_dim: positive.optional(), ...MoeFields, norm_topk_prob: z.boolean().default(true) }).transform((fields, context) => {
  const config = resolveQwen3VLRope({ ...fields, rope_theta: fields.rope_theta ?? ROPE_BASE });
  return {
    ...config,
    head_dim: config.head_dim ?? config.hidden_size / config.num_attention_heads,
    /** Of prompts without pictures, whose axes agree. */
    rope: { base: config.rope_theta, scaling: { rope_type: "default" as const }, partialRotaryFactor: 1 },
    num_experts: numberOfExperts(config, context),
    mlp_only_layers: config.mlp_only_layers ?? [],
  };
});

/** The audio tower. The defaults are transformers', which folders may leave out. */
const AudioConfig = z
  .object({
    num_mel_bins: positive.default(128),
    d_model: positive.default(1280),
    encoder_layers: positive.default(32),
    encoder_attention_heads: positive.default(20),
    encoder_ffn_dim: positive.default(5120),
    activation_function: z.literal("gelu").default("gelu"),
    max_source_positions: positive.default(1500),
    n_window: z.literal(WINDOW).default(WINDOW),
    /** Frames that attend to each other. */
    n_window_infer: positive.default(800),
    downsample_hidden_size: positive.default(480),
    /** Width of the decoder. */
    output_dim: positive.default(3584),
  })
  .refine(({ d_model, encoder_attention_heads }) => d_model % 2 === 0 && d_model % encoder_attention_heads === 0, { path: ["d_model"], message: "Expected an even multiple of encoder_attention_heads" })
  .refine(({ n_window_infer, n_window }) => n_window_infer >= 2 * n_window, { path: ["n_window_infer"], message: "Expected 2 · n_window at least" });

/** The part that hears, sees and writes. */
const ThinkerConfig = z
  .object({
    text_config: TextConfig,
    vision_config: VisionConfig,
    audio_config: AudioConfig,
    image_token_id: tokenId.default(151_655),
    audio_token_id: tokenId.default(151_646),
    tie_word_embeddings: z.boolean().default(false),
  })
  .superRefine(({ text_config: { hidden_size }, vision_config: { out_hidden_size }, audio_config: { output_dim } }, context) => {
    const widths = [["vision_config", "out_hidden_size", out_hidden_size], ["audio_config", "output_dim", output_dim]] as const;
    for (const [tower, field, width] of widths) {
      if (width !== hidden_size) context.addIssue({ code: "custom", path: [tower, field], message: `Expected text_config.hidden_size = ${hidden_size} but received ${width}`, input: width });
    }
  });

/** config.json of `qwen3_omni_moe`; fields that change the computation and are not supported are refused by name. */
export const Qwen3OmniMoeConfig = z.object({ model_type: z.literal("qwen3_omni_moe"), thinker_config: ThinkerConfig, quantization: QuantizationConfig.optional() });

export type Qwen3OmniMoeConfig = z.output<typeof Qwen3OmniMoeConfig>;
export type Qwen3OmniAudioConfig = z.output<typeof AudioConfig>;
