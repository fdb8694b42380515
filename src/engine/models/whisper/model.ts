import { join } from "node:path";
import { z } from "zod";
import { DeskhandError, isDeskhandError } from "../../../core/errors.js";
import { parseWith, readJson } from "../../../core/json.js";
import { disposeModules } from "../../nn/module.js";
import { Weights } from "../../nn/weights.js";
import type { LoadWeightsOptions } from "../registry.js";
import { WhisperConfig } from "./config.js";
import { WhisperDecoder } from "./decoder.js";
import { WhisperEncoder } from "./encoder.js";
import { whisperAliases } from "./layout.js";

const ModelType = z.looseObject({ model_type: z.string() });

/** Whisper (arXiv:2212.04356): an encoder of sound and a decoder of text. Reference: transformers 5.23, models/whisper/modeling_whisper.py. */
export class WhisperModel implements Disposable {
  readonly config: WhisperConfig;
  readonly encoder: WhisperEncoder;
  readonly decoder: WhisperDecoder;

  constructor(weights: Weights, config: WhisperConfig) {
    this.config = config;
    this.encoder = new WhisperEncoder(weights, "model.encoder", config);
    this.decoder = new WhisperDecoder(weights, "model.decoder", config);
    weights.tie("proj_out.weight", "model.decoder.embed_tokens.weight");
    weights.ignore("alignment_heads");
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

/** config.json of a model folder. @throws DeskhandError `unsupported_model` for another `model_type`, or a field it names. */
export async function readWhisperConfig(dir: string): Promise<WhisperConfig> {
  const path = join(dir, "config.json");
  const raw = await readJson(path);
  const { model_type } = parseWith(ModelType, raw, path, "unsupported_model");
  if (model_type === "whisper") return parseWith(WhisperConfig, raw, path, "unsupported_model");
  throw new DeskhandError("unsupported_model", `Expected model_type in ${path} to be whisper, which writes down speech, but received ${model_type}. Use load() for models that chat.`);
}
