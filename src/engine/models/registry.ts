import { join } from "node:path";
import { z } from "zod";
import { DeskhandError, isDeskhandError } from "../../core/errors.js";
import { parseWith, readJson } from "../../core/json.js";
import type { OnProgress } from "../../core/progress.js";
import { ClipImageProcessor } from "../image/clip-processor.js";
import { PixtralImageProcessor } from "../image/pixtral-processor.js";
import { Fp8Config, quantizedElsewhere } from "../nn/fp8.js";
import { encoderShape } from "../nn/encoder-shape.js";
import { QuantizationConfig } from "../nn/quantization.js";
import { Weights, type LayoutAliases, type WeightsOptions } from "../nn/weights.js";
import type { Architecture, Processor } from "./architecture.js";
import { Gemma3Config } from "./gemma3/config.js";
import { GEMMA3_ALIASES, Gemma3Model } from "./gemma3/model.js";
import { Gemma3Processor } from "./gemma3/processor.js";
import { ViewProcessor } from "./gemma3/views.js";
import { Gemma3TextConfig } from "./gemma3_text/config.js";
import { Gemma3TextModel } from "./gemma3_text/model.js";
import { Idefics3Config } from "./idefics3/config.js";
import { IDEFICS3_ALIASES, Idefics3Model } from "./idefics3/model.js";
import { Idefics3Processor } from "./idefics3/processor.js";
import { TileProcessor } from "./idefics3/tiles.js";
import { LlamaConfig } from "./llama/config.js";
import { LlamaModel } from "./llama/model.js";
import { LlavaConfig } from "./llava/config.js";
import { LLAVA_ALIASES, LlavaModel } from "./llava/model.js";
import { LlavaProcessor } from "./llava/processor.js";
import { LlavaNextConfig } from "./llava_next/config.js";
import { LlavaNextModel } from "./llava_next/model.js";
import { LlavaNextProcessor } from "./llava_next/processor.js";
import { Ministral3Config } from "./ministral3/config.js";
import { MistralConfig } from "./mistral/config.js";
import { Mistral3Config } from "./mistral3/config.js";
import { MISTRAL3_ALIASES, Mistral3Model } from "./mistral3/model.js";
import { Mistral3Processor } from "./mistral3/processor.js";
import { Phi3Config } from "./phi3/config.js";
import { Phi3Model } from "./phi3/model.js";
import { Phi3VConfig } from "./phi3_v/config.js";
import { Phi3VModel, placeId } from "./phi3_v/model.js";
import { Phi3VProcessor } from "./phi3_v/processor.js";
import { TileProcessor as Phi3VTileProcessor } from "./phi3_v/tiles.js";
import { QwenOmniProcessor } from "./qwen-omni-prompt.js";
import { QwenVLProcessor } from "./qwen-vl-prompt.js";
import { Qwen2Config } from "./qwen2/config.js";
import { Qwen2Model } from "./qwen2/model.js";
import { Qwen25OmniConfig } from "./qwen2_5_omni/config.js";
import { QWEN2_5_OMNI_ALIASES, Qwen25OmniModel } from "./qwen2_5_omni/model.js";
import { qwen25OmniSettings } from "./qwen2_5_omni/processor.js";
import { Qwen25VLConfig } from "./qwen2_5_vl/config.js";
import { VisionTower as Qwen25VisionTower } from "./qwen2_5_vl/vision.js";
import { Qwen2VLConfig } from "./qwen2_vl/config.js";
import { QWEN2_VL_ALIASES, Qwen2VLModel, VISION_PATH } from "./qwen2_vl/model.js";
import { VisionTower as Qwen2VisionTower } from "./qwen2_vl/vision.js";
import { Qwen3Config } from "./qwen3/config.js";
import { QWEN3_ALIASES, Qwen3Model } from "./qwen3/model.js";
import { Qwen35Config, Qwen35TextOnlyConfig } from "./qwen3_5/config.js";
import { QWEN3_5_TEXT_ALIASES, Qwen35Model } from "./qwen3_5/model.js";
import { Qwen3MoeConfig } from "./qwen3_moe/config.js";
import { Qwen3MoeModel } from "./qwen3_moe/model.js";
import { Qwen3OmniMoeConfig } from "./qwen3_omni_moe/config.js";
import { QWEN3_OMNI_ALIASES, Qwen3OmniMoeModel } from "./qwen3_omni_moe/model.js";
import { qwen3OmniSettings } from "./qwen3_omni_moe/processor.js";
import { Qwen3VLConfig } from "./qwen3_vl/config.js";
import { QWEN3_VL_ALIASES, Qwen3VLModel } from "./qwen3_vl/model.js";
import { Qwen3VLMoeConfig } from "./qwen3_vl_moe/config.js";
import { Qwen3VLMoeModel } from "./qwen3_vl_moe/model.js";

interface Entry {
  aliases?: LayoutAliases;
  /** Checks config.json and binds the weights. */
  build(config: unknown, weights: Weights, path: string): Architecture;
  /** Absent in text-only models; asked only for folders that have the weights to see. */
  processor?(config: unknown, dir: string, path: string): Promise<Processor | undefined>;
}

/** SmolVLM computes what Idefics3 does. */
const IDEFICS3: Entry = {
  aliases: IDEFICS3_ALIASES,
  build: (config, weights, path) => new Idefics3Model(weights, parseConfig(Idefics3Config, config, path)),
  processor: async (config, dir, path) => new Idefics3Processor(await TileProcessor.load(dir), parseConfig(Idefics3Config, config, path)),
};

/** The whole model, of which only the thinker is loaded, and a thinker saved alone. */
const QWEN2_5_OMNI: Entry = {
  aliases: QWEN2_5_OMNI_ALIASES,
  build: (config, weights, path) => new Qwen25OmniModel(weights, parseConfig(Qwen25OmniConfig, config, path)),
  processor: async (config, dir, path) => QwenOmniProcessor.load(dir, qwen25OmniSettings(parseConfig(Qwen25OmniConfig, config, path))),
};

/** With and without experts. */
const QWEN3_5: Entry = {
  aliases: QWEN3_VL_ALIASES,
  build: (config, weights, path) => new Qwen35Model(weights, parseConfig(Qwen35Config, config, path)),
  processor: async (config, dir, path) => QwenVLProcessor.load(dir, parseConfig(Qwen35Config, config, path), "qwen3"),
};

/** The decoder of the same as a model of its own. */
const QWEN3_5_TEXT: Entry = {
  aliases: QWEN3_5_TEXT_ALIASES,
  build: (config, weights, path) => new Qwen35Model(weights, parseConfig(Qwen35TextOnlyConfig, config, path)),
};

/** Supported architectures by the `model_type` of config.json: one folder each. */
const ARCHITECTURES: Readonly<Record<string, Entry>> = {
  gemma3: {
    aliases: GEMMA3_ALIASES,
    build: (config, weights, path) => new Gemma3Model(weights, parseConfig(Gemma3Config, config, path)),
    processor: async (config, dir, path) => {
      const { vision_config: vision, image_token_id: imageTokenId, mm_tokens_per_image: tokensPerView } = parseConfig(Gemma3Config, config, path);
      return vision && new Gemma3Processor(await ViewProcessor.load(dir, vision), { imageTokenId, tokensPerView });
    },
  },
  gemma3_text: { build: (config, weights, path) => new Gemma3TextModel(weights, parseConfig(Gemma3TextConfig, config, path)) },
  idefics3: IDEFICS3,
  llama: { build: (config, weights, path) => new LlamaModel(weights, parseConfig(LlamaConfig, config, path)) },
  llava: {
    aliases: LLAVA_ALIASES,
    build: (config, weights, path) => new LlavaModel(weights, parseConfig(LlavaConfig, config, path)),
    processor: async (config, dir, path) => {
      const parsed = parseConfig(LlavaConfig, config, path);
      const { image_size: sidePx, patch_size: patchSize, model_type: tower } = parsed.vision_config;
      return new LlavaProcessor(await ClipImageProcessor.load(dir, { sidePx, patchSize, siglip: tower === "siglip_vision_model" }), parsed);
    },
  },
  llava_next: {
    aliases: LLAVA_ALIASES,
    build: (config, weights, path) => new LlavaNextModel(weights, parseConfig(LlavaNextConfig, config, path)),
    processor: async (config, dir, path) => {
      const parsed = parseConfig(LlavaNextConfig, config, path);
      const { image_size: sidePx, patch_size: patchSize } = parsed.vision_config;
      return new LlavaNextProcessor(await ClipImageProcessor.load(dir, { sidePx, patchSize, tiles: true }), parsed);
    },
  },
  ministral3: { build: (config, weights, path) => new LlamaModel(weights, parseConfig(Ministral3Config, config, path)) },
  mistral: { build: (config, weights, path) => new LlamaModel(weights, parseConfig(MistralConfig, config, path)) },
  mistral3: {
    aliases: MISTRAL3_ALIASES,
    build: (config, weights, path) => new Mistral3Model(weights, parseConfig(Mistral3Config, config, path)),
    processor: async (config, dir, path) => {
      const { image_token_id: imageTokenId, vision_config, spatial_merge_size: mergeSize } = parseConfig(Mistral3Config, config, path);
      return new Mistral3Processor(await PixtralImageProcessor.load(dir, vision_config.patch_size, mergeSize), { imageTokenId, mergeSize });
    },
  },
  phi3: { build: (config, weights, path) => new Phi3Model(weights, parseConfig(Phi3Config, config, path)) },
  phi3_v: {
    build: (config, weights, path) => new Phi3VModel(weights, parseConfig(Phi3VConfig, config, path)),
    processor: async (config, dir, path) => new Phi3VProcessor(await Phi3VTileProcessor.load(dir), placeId(parseConfig(Phi3VConfig, config, path))),
  },
  qwen2: { build: (config, weights, path) => new Qwen2Model(weights, parseConfig(Qwen2Config, config, path)) },
  qwen2_5_omni: QWEN2_5_OMNI,
  qwen2_5_omni_thinker: QWEN2_5_OMNI,
  qwen2_5_vl: {
    aliases: QWEN2_VL_ALIASES,
    build: (config, weights, path) => {
      const parsed = parseConfig(Qwen25VLConfig, config, path);
      return new Qwen2VLModel(weights, { ...parsed, vision_encoder: encoderShape(parsed.vision_config) }, new Qwen25VisionTower(weights, VISION_PATH, parsed.vision_config, parsed.quantization));
    },
    processor: async (config, dir, path) => QwenVLProcessor.load(dir, parseConfig(Qwen25VLConfig, config, path), "qwen2"),
  },
  qwen2_vl: {
    aliases: QWEN2_VL_ALIASES,
    build: (config, weights, path) => {
      const parsed = parseConfig(Qwen2VLConfig, config, path);
      const { embed_dim: hidden_size, mlp_ratio, ...tower } = parsed.vision_config;
      const vision_encoder = encoderShape({ ...tower, hidden_size, intermediate_size: hidden_size * mlp_ratio });
      return new Qwen2VLModel(weights, { ...parsed, vision_encoder }, new Qwen2VisionTower(weights, VISION_PATH, parsed.vision_config, parsed.quantization));
    },
    processor: async (config, dir, path) => QwenVLProcessor.load(dir, parseConfig(Qwen2VLConfig, config, path), "qwen2"),
  },
  qwen3: { aliases: QWEN3_ALIASES, build: (config, weights, path) => new Qwen3Model(weights, parseConfig(Qwen3Config, config, path)) },
  qwen3_5: QWEN3_5,
  qwen3_5_moe: QWEN3_5,
  qwen3_5_moe_text: QWEN3_5_TEXT,
  qwen3_5_text: QWEN3_5_TEXT,
  qwen3_moe: { build: (config, weights, path) => new Qwen3MoeModel(weights, parseConfig(Qwen3MoeConfig, config, path)) },
  qwen3_omni_moe: {
    aliases: QWEN3_OMNI_ALIASES,
    build: (config, weights, path) => new Qwen3OmniMoeModel(weights, parseConfig(Qwen3OmniMoeConfig, config, path)),
    processor: async (config, dir, path) => QwenOmniProcessor.load(dir, qwen3OmniSettings(parseConfig(Qwen3OmniMoeConfig, config, path))),
  },
  qwen3_vl: {
    aliases: QWEN3_VL_ALIASES,
    build: (config, weights, path) => new Qwen3VLModel(weights, parseConfig(Qwen3VLConfig, config, path)),
    processor: async (config, dir, path) => QwenVLProcessor.load(dir, parseConfig(Qwen3VLConfig, config, path), "qwen3"),
  },
  qwen3_vl_moe: {
    aliases: QWEN3_VL_ALIASES,
    build: (config, weights, path) => new Qwen3VLMoeModel(weights, parseConfig(Qwen3VLMoeConfig, config, path)),
    processor: async (config, dir, path) => QwenVLProcessor.load(dir, parseConfig(Qwen3VLMoeConfig, config, path), "qwen3"),
  },
  smolvlm: IDEFICS3,
};

const ModelType = z.object({ model_type: z.string() });
const Quantized = z.object({ quantization: QuantizationConfig.optional() });
const QuantizedElsewhere = z.object({ quantization_config: z.preprocess(quantizedElsewhere, Fp8Config.optional()) });

function parseConfig<T extends z.ZodType>(schema: T, config: unknown, path: string): z.output<T> {
  return parseWith(schema, config, path, "unsupported_model");
}

export interface LoadedArchitecture {
  architecture: Architecture;
  /** Absent in text-only models. */
  processor?: Processor;
  /** What its weights take in their files. */
  weightBytes: number;
}

export interface LoadWeightsOptions extends Pick<WeightsOptions, "dtype" | "storedMatrices"> {
  onProgress?: OnProgress;
  signal?: AbortSignal;
}

/**
 * Loads the architecture that a model folder's config.json names, with its weights.
 * @throws DeskhandError `unsupported_model` for another `model_type` or a field this engine cannot compute, `invalid_model`
 * when weights are missing, misshapen or left over.
 */
export async function loadArchitecture(dir: string, options: LoadWeightsOptions = {}): Promise<LoadedArchitecture> {
  const { entry, config, path, fp8 } = await readEntry(dir);
  const weights = await Weights.open(dir, { dtype: options.dtype, storedMatrices: options.storedMatrices, aliases: entry.aliases, fp8 });
  try {
    const architecture = entry.build(config, weights, path);
    const processor = architecture.encode && (await entry.processor?.(config, dir, path));
    const { bytes: weightBytes } = weights;
    await weights.finish(options);
    return { architecture, processor, weightBytes };
  } catch (error) {
    weights.abandon();
    throw loadError(dir, error);
  }
}

/** A model's weights, not read yet, and what is known of them. */
export interface ModelFolder {
  modelType: string;
  /** config.json of the weights as they are read: 8-bit floats plain. */
  config: unknown;
  /** How the weights are quantised, where they are. */
  quantized: QuantizationConfig | undefined;
  aliases: LayoutAliases;
  weights: Weights;
}

/**
 * Opens a model's weights after making sure that the architecture takes them all: `weights.paths()` are those it uses,
 * `weights.layers` those that can be quantised. The caller closes the weights.
 * @throws DeskhandError as `loadArchitecture`.
 */
export async function openModelFolder(dir: string): Promise<ModelFolder> {
  const { modelType, entry, config: written, path, fp8 } = await readEntry(dir);
  const config = fp8 === undefined ? written : Object.fromEntries(Object.entries(written as Record<string, unknown>).filter(([field]) => field !== "quantization_config"));
  const { quantization: quantized } = parseWith(Quantized, config, path, "unsupported_model");
  const { aliases = [] } = entry;
  const weights = await Weights.open(dir, { aliases, fp8 });
  try {
    entry.build(config, weights, path)[Symbol.dispose]();
    weights.refuseUnused();
    return { modelType, config, quantized, aliases, weights };
  } catch (error) {
    weights.abandon();
    throw loadError(dir, error);
  }
}

/** The `model_type`s that load. */
export function registeredModelTypes(): string[] {
  return Object.keys(ARCHITECTURES);
}

async function readEntry(dir: string): Promise<{ modelType: string; entry: Entry; config: unknown; path: string; fp8: Fp8Config | undefined }> {
  const path = join(dir, "config.json");
  const config = await readJson(path);
  const { model_type: modelType } = parseWith(ModelType, config, path, "unsupported_model");
  const entry = Object.hasOwn(ARCHITECTURES, modelType) ? ARCHITECTURES[modelType] : undefined;
  if (entry !== undefined) return { modelType, entry, config, path, fp8: parseWith(QuantizedElsewhere, config, path, "unsupported_model").quantization_config };
  const advice = modelType === "whisper" ? " It writes down speech: use loadTranscriber() or `deskhand transcribe`." : "";
  throw new DeskhandError("unsupported_model", `Expected model_type in ${path} to be one of ${registeredModelTypes().join(", ")} but received ${modelType}.${advice}`);
}

function loadError(dir: string, error: unknown): DeskhandError {
  return isDeskhandError(error) ? error : new DeskhandError("invalid_model", `${dir} does not load: ${String(error)}`, { cause: error });
}
