import { z } from "zod";
import { QuantizationConfig } from "../../nn/quantization.js";
import { LlamaTextConfig } from "../llama/config.js";

const positive = z.number().int().positive();

/** Folders leave out what transformers' `LlamaConfig` has by itself. */
const LLAMA_DEFAULTS = { vocab_size: 32_000, hidden_size: 4096, intermediate_size: 11_008, num_hidden_layers: 32, num_attention_heads: 32, max_position_embeddings: 2048 };

const TextConfig = z
  .looseObject({
    model_type: z.literal("llama").default("llama"),
    qk_layer_norms: z.literal(false).optional(),
    use_resampler: z.literal(false).optional(),
  })
  .transform((fields): z.input<typeof LlamaTextConfig> => ({ ...LLAMA_DEFAULTS, ...fields }))
  .pipe(LlamaTextConfig);

/** Defaults are those of transformers' `Idefics3VisionConfig`. */
const VisionConfig = z.object({
  hidden_size: positive.default(1152),
  intermediate_size: positive.default(3072),
  num_hidden_layers: positive.default(12),
  num_attention_heads: positive.default(16),
  num_channels: z.literal(3).default(3),
  image_size: positive.default(224),
  patch_size: positive.default(32),
  layer_norm_eps: z.number().positive().default(1e-6),
  hidden_act: z.literal("gelu_pytorch_tanh").default("gelu_pytorch_tanh"),
});

/** config.json of `idefics3` and of `smolvlm`, which computes the same; fields that change the computation and are not supported are refused by name. */
export const Idefics3Config = z
  .object({
    model_type: z.enum(["idefics3", "smolvlm"]),
    text_config: TextConfig,
    vision_config: VisionConfig,
    image_token_id: z.number().int().nonnegative().default(128_257),
    scale_factor: positive.default(2),
    tie_word_embeddings: z.boolean().optional(),
    quantization: QuantizationConfig.optional(),
  })
  .transform(({ tie_word_embeddings, text_config, ...config }) => ({
    ...config,
    text_config: { ...text_config, tie_word_embeddings: tie_word_embeddings ?? text_config.tie_word_embeddings },
  }));

export type Idefics3Config = z.output<typeof Idefics3Config>;
export type Idefics3VisionConfig = Idefics3Config["vision_config"];
