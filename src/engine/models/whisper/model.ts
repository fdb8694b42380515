import { join } from "node:path";
import { z } from "zod";
import { DeskhandError, isDeskhandError } from "../../../core/errors.js";
import { parseWith, readJson } from "../../../core/json.js";
import { scope } from "../../mlx/index.js";
import { disposeModules } from "../../nn/module.js";
import { sinusoids } from "../../nn/sinusoids.js";
import { Weights } from "../../nn/weights.js";
import type { LoadWeightsOptions, ModelFolder } from "../registry.js";
import { WhisperConfig } from "./config.js";
import { WhisperDecoder } from "./decoder.js";
import { WhisperEncoder } from "./encoder.js";
import { whisperAliases } from "./layout.js";

const ENCODER_POSITIONS = "model.encoder.embed_positions.weight";
/** More than what bfloat16 takes from a sine. */
const POSITIONS_ROUNDING = 0.01;

const ModelType = z.looseObject({ model_type: z.string() });

/** Whisper (arXiv:2212.04356): an encoder of sound and a decoder of text. Reference: transformers 5.23, models/whisper/modeling_whisper.py. */
export class WhisperModel implements Disposable {
  readonly config: WhisperConfig;
  readonly encoder: WhisperEncoder;
  readonly decoder: WhisperDecoder;
  /** What its weights take in their files. */
  readonly weightBytes: number;

  constructor(weights: Weights, config: WhisperConfig) {
    this.config = config;
    this.encoder = new WhisperEncoder(weights, "model.encoder", config);
    this.decoder = new WhisperDecoder(weights, "model.decoder", config);
    weights.tie("proj_out.weight", "model.decoder.embed_tokens.weight");
    weights.ignore("alignment_heads");
    this.weightBytes = weights.bytes;
  }

  /**
   * Loads a model folder.
   * @throws DeskhandError `unsupported_model` for another `model_type`, `invalid_model` when weights do not fit.
   */
  static async load(dir: string, options: LoadWeightsOptions = {}): Promise<WhisperModel> {
    const config = await readWhisperConfig(dir);
    const weights = await Weights.open(dir, { dtype: options.dtype, storedMatrices: options.storedMatrices, aliases: whisperAliases(config) });
    try {
      const model = new WhisperModel(weights, config);
      await weights.finish(options);
      return model;
    } catch (error) {
      weights.abandon();
      throw isDeskhandError(error) ? error : new DeskhandError("invalid_model", `${dir} does not load: ${String(error)}`, { cause: error });
    }
  }

  [Symbol.dispose](): void {
    disposeModules(this.encoder, this.decoder);
  }
}

/**
 * Opens a Whisper folder's weights for conversion, as `openModelFolder` opens those of models that chat. The encoder's table of
 * positions is left out, as MLX leaves it out: it follows from its size.
 * @throws DeskhandError as `WhisperModel.load`; `unsupported_model` for a table that was trained.
 */
export async function openWhisperFolder(dir: string): Promise<ModelFolder> {
  const config = await readWhisperConfig(dir);
  const aliases = whisperAliases(config);
  const weights = await Weights.open(dir, { aliases });
  try {
    new WhisperModel(weights, config)[Symbol.dispose]();
    weights.refuseUnused();
    if (weights.has(ENCODER_POSITIONS)) leaveOutPositions(weights, config);
    return { modelType: "whisper", config: await readJson(join(dir, "config.json")), quantized: config.quantization, aliases, weights };
  } catch (error) {
    weights.abandon();
    throw isDeskhandError(error) ? error : new DeskhandError("invalid_model", `${dir} does not load: ${String(error)}`, { cause: error });
  }
}

function leaveOutPositions(weights: Weights, { d_model: dims, max_source_positions: length }: WhisperConfig): void {
  const computed = sinusoids(length, dims);
  using stored = scope(() => weights.read(ENCODER_POSITIONS));
  const difference = stored.toArray().reduce((largest, value, i) => Math.max(largest, Math.abs(value - computed[i]!)), 0);
  if (difference > POSITIONS_ROUNDING) {
    throw new DeskhandError("unsupported_model", `Expected ${ENCODER_POSITIONS} to be the sines that Whisper is published with, for MLX's layout has no place for others, but a value is ${difference.toPrecision(2)} off. The model runs as it is, without conversion.`);
  }
  weights.ignore(ENCODER_POSITIONS);
}

/** config.json of a model folder. @throws DeskhandError `unsupported_model` for another `model_type`, or a field it names. */
export async function readWhisperConfig(dir: string): Promise<WhisperConfig> {
  const path = join(dir, "config.json");
  const raw = await readJson(path);
  const { model_type } = parseWith(ModelType, raw, path, "unsupported_model");
  if (model_type === "whisper") return parseWith(WhisperConfig, raw, path, "unsupported_model");
  throw new DeskhandError("unsupported_model", `Expected model_type in ${path} to be whisper, which writes down speech, but received ${model_type}. Use load() for models that chat.`);
}
