import { z } from "zod";
import { QuantizationConfig } from "../../nn/quantization.js";

const count = z.number().int().positive();

/** Dimensions as MLX's converters write them, by the names of Hugging Face. */
const MLX_NAMES: Readonly<Record<string, readonly string[]>> = {
  n_mels: ["num_mel_bins"],
  n_audio_ctx: ["max_source_positions"],
  n_audio_head: ["encoder_attention_heads"],
  n_audio_layer: ["encoder_layers"],
  n_vocab: ["vocab_size"],
  n_text_ctx: ["max_target_positions"],
  n_text_state: ["d_model"],
  n_text_head: ["decoder_attention_heads"],
  n_text_layer: ["decoder_layers"],
};

const Fields = z.object({
  vocab_size: count,
  num_mel_bins: z.union([z.literal(80), z.literal(128)]),
  d_model: count,
  encoder_layers: count,
  encoder_attention_heads: count,
  encoder_ffn_dim: count.optional(),
  decoder_layers: count,
  decoder_attention_heads: count,
  decoder_ffn_dim: count.optional(),
  max_source_positions: count,
  max_target_positions: count,
  activation_function: z.literal("gelu").default("gelu"),
  scale_embedding: z.literal(false).default(false),
  tie_word_embeddings: z.literal(true).default(true),
  median_filter_width: count.refine((width) => width % 2 === 1, "expected an odd number").default(7),
  quantization: QuantizationConfig.optional(),
});

/** config.json of a `whisper` folder, in Hugging Face's names or MLX's. */
export const WhisperConfig = z
  .looseObject({})
  .transform((raw) => {
    const config: Record<string, unknown> = { ...raw };
    for (const [mlx, names] of Object.entries(MLX_NAMES)) for (const name of names) config[name] ??= raw[mlx];
    return config;
  })
  .pipe(Fields)
  .transform((fields) => ({ ...fields, encoder_ffn_dim: fields.encoder_ffn_dim ?? 4 * fields.d_model, decoder_ffn_dim: fields.decoder_ffn_dim ?? 4 * fields.d_model }));
export type WhisperConfig = z.infer<typeof WhisperConfig>;
