import { z } from "zod";
import { QuantizationConfig } from "../../nn/quantization.js";
import { LlamaTextConfig } from "../llama/config.js";
import { qwen2Fields, qwen2TextConfig } from "../qwen2/config.js";
import { MistralTextConfig } from "../mistral/config.js";
import { textConfigOf, withDefaults } from "../text-config.js";

const positive = z.number().int().positive();

/** What the classes of transformers stand for: the hub's folders leave such fields out of `text_config`. */
const TEXT_DEFAULTS = {
  llama: { vocab_size: 32000, hidden_size: 4096, intermediate_size: 11008, num_hidden_layers: 32, num_attention_heads: 32, max_position_embeddings: 2048 },
  mistral: { vocab_size: 32000, hidden_size: 4096, intermediate_size: 14336, num_hidden_layers: 32, num_attention_heads: 32, num_key_value_heads: 8, max_position_embeddings: 131072 },
  qwen2: { vocab_size: 151936, hidden_size: 4096, intermediate_size: 22016, num_hidden_layers: 32, num_attention_heads: 32, rms_norm_eps: 1e-6, max_position_embeddings: 32768 },
};

/** Qwen2 is a Llama whose queries, keys and values have biases. */
const Qwen2AsLlama = z.object(qwen2Fields).transform((fields, context): LlamaTextConfig => ({
  ...qwen2TextConfig(fields, context),
  attention_bias: true,
  attention_output_bias: false,
  mlp_bias: false,
  tie_word_embeddings: fields.tie_word_embeddings ?? undefined,
  sliding_window: undefined,
  query_scaling: undefined,
}));

const TextConfig = textConfigOf({ llama: withDefaults(TEXT_DEFAULTS.llama, LlamaTextConfig), mistral: withDefaults(TEXT_DEFAULTS.mistral, MistralTextConfig), qwen2: withDefaults(TEXT_DEFAULTS.qwen2, Qwen2AsLlama) });

/** What CLIP's tower and SigLIP's have in common, with the defaults of transformers' classes. */
const towerFields = {
  hidden_size: positive.default(768),
  intermediate_size: positive.default(3072),
  num_hidden_layers: positive.default(12),
  num_attention_heads: positive.default(12),
  num_channels: z.literal(3).default(3),
  image_size: positive.default(224),
};

const ClipVisionConfig = z.object({
  model_type: z.literal("clip_vision_model"),
  ...towerFields,
  patch_size: positive.default(32),
  layer_norm_eps: z.number().positive().default(1e-5),
  hidden_act: z.enum(["quick_gelu", "gelu"]).default("quick_gelu"),
});

const SiglipVisionConfig = z.object({
  model_type: z.literal("siglip_vision_model"),
  ...towerFields,
  patch_size: positive.default(16),
  layer_norm_eps: z.number().positive().default(1e-6),
  hidden_act: z.enum(["gelu_pytorch_tanh", "gelu"]).default("gelu_pytorch_tanh"),
});

const VisionConfig = z.preprocess(
  (value) => (typeof value === "object" && value !== null ? { model_type: "clip_vision_model", ...value } : value),
  z.discriminatedUnion("model_type", [ClipVisionConfig, SiglipVisionConfig], {
    error: ({ input }) => `Expected clip_vision_model or siglip_vision_model but received ${JSON.stringify((input as { model_type?: unknown } | undefined)?.model_type ?? input)}`,
  }),
);

export const llavaSchema = z.object({
  text_config: TextConfig,
  vision_config: VisionConfig,
  // The defaults are those of the reference's classes.
  image_token_index: z.number().int().nonnegative().optional(),
  image_token_id: z.number().int().nonnegative().optional(),
  projector_hidden_act: z.literal("gelu").default("gelu"),
  /** Which of the tower's states are looked at, side by side: 0 its input, n what layer n gives, negative from the end. */
  vision_feature_layer: z.union([z.number().int().transform((layer) => [layer]), z.array(z.number().int()).min(1)]).default([-2]),
  /** `default` leaves the class token out. */
  vision_feature_select_strategy: z.enum(["default", "full"]).default("default"),
  multimodal_projector_bias: z.boolean().default(true),
  tie_word_embeddings: z.boolean().optional(),
  quantization: QuantizationConfig.optional(),
});

type Fields = z.output<typeof llavaSchema>;

/** One spelling of what both LLaVAs have. */
export function llavaConfig<T extends Fields>({ image_token_index, image_token_id, tie_word_embeddings, ...config }: T, context: z.core.$RefinementCtx) {
  const layers = config.vision_config.num_hidden_layers;
  const featureLayers = config.vision_feature_layer.map((layer) => (layer < 0 ? layers + 1 + layer : layer));
  if (featureLayers.some((layer) => layer < 0 || layer > layers)) {
    context.addIssue({ code: "custom", path: ["vision_feature_layer"], message: `Expected some of the ${layers} layers but received ${config.vision_feature_layer.join(", ")}`, input: config.vision_feature_layer });
  }
  if (config.vision_config.model_type === "siglip_vision_model" && config.vision_feature_select_strategy !== "full") {
    context.addIssue({ code: "custom", path: ["vision_feature_select_strategy"], message: `Expected "full" but received "${config.vision_feature_select_strategy}": SigLIP's tower has no class token to leave out`, input: config });
  }
  return {
    ...config,
    image_token_id: image_token_index ?? image_token_id ?? 32000,
    vision_feature_layer: featureLayers,
    text_config: { ...config.text_config, tie_word_embeddings: tie_word_embeddings || config.text_config.tie_word_embeddings },
  };
}

/** config.json of `llava`; fields that change the computation and are not supported are refused by name. */
export const LlavaConfig = llavaSchema.extend({ model_type: z.literal("llava") }).transform(llavaConfig);

export type LlavaConfig = Omit<z.output<typeof LlavaConfig>, "model_type"> & { model_type: string };
export type TowerConfig = LlavaConfig["vision_config"];
