import { z } from "zod";
import { QuantizationConfig } from "../../nn/quantization.js";
import { Qwen25VLVisionConfig } from "../qwen2_5_vl/config.js";
import { qwen2VLFields } from "../qwen2_vl/config.js";

const positive = z.number().int().positive();
const tokenId = z.number().int().nonnegative();

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
    /** Half the frames that are heard together: as many rows as attend to each other. */
    n_window: positive.default(100),
    /** Width of the decoder. */
    output_dim: positive.default(3584),
  })
  .refine(({ d_model, encoder_attention_heads }) => d_model % 2 === 0 && d_model % encoder_attention_heads === 0, { path: ["d_model"], message: "Expected an even multiple of encoder_attention_heads" })
  .refine(({ n_window, max_source_positions }) => n_window <= max_source_positions, { path: ["n_window"], message: "Expected at most max_source_positions, as many as there are positions" });

/** The part that hears, sees and writes. Only the decoder's own `tie_word_embeddings`, beside it, ties its head. */
const ThinkerConfig = z
  .object({
    text_config: qwen2VLFields.text_config,
    vision_config: Qwen25VLVisionConfig,
    audio_config: AudioConfig,
    image_token_index: tokenId.default(151_655),
    audio_token_index: tokenId.default(151_646),
    tie_word_embeddings: z.boolean().default(false),
  })
  .superRefine(({ text_config: { hidden_size }, vision_config: { out_hidden_size }, audio_config: { output_dim } }, context) => {
    const widths = [["vision_config", "out_hidden_size", out_hidden_size], ["audio_config", "output_dim", output_dim]] as const;
    for (const [tower, field, width] of widths) {
      if (width !== hidden_size) context.addIssue({ code: "custom", path: [tower, field], message: `Expected text_config.hidden_size = ${hidden_size} but received ${width}`, input: width });
    }
  });

/** A thinker saved without the rest has its fields at the top of config.json. */
function nestThinker(config: unknown): unknown {
  const isAlone = typeof config === "object" && config !== null && "model_type" in config && config.model_type === "qwen2_5_omni_thinker";
  return isAlone ? { ...config, thinker_config: config } : config;
}

/** config.json of `qwen2_5_omni` and `qwen2_5_omni_thinker`; fields that change the computation and are not supported are refused by name. */
export const Qwen25OmniConfig = z.preprocess(
  nestThinker,
  z.object({ model_type: z.enum(["qwen2_5_omni", "qwen2_5_omni_thinker"]), thinker_config: ThinkerConfig, quantization: QuantizationConfig.optional() }),
);

export type Qwen25OmniConfig = z.output<typeof Qwen25OmniConfig>;
export type Qwen25OmniAudioConfig = z.output<typeof AudioConfig>;
