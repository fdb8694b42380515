import { DeskhandError } from "../../core/errors.js";
import { Linear } from "./linear.js";
import type { QuantizationConfig } from "./quantization.js";
import type { Weights } from "./weights.js";

export interface OutputHeadOptions {
  /** Where a matrix of its own is stored. */
  path?: string;
  /** Where the token embeddings are stored. */
  embeddings: string;
  /** `tie_word_embeddings`; `undefined`: tied where nothing else is stored. */
  tied: boolean | undefined;
  inputs: number;
  outputs: number;
  quantization?: QuantizationConfig;
}

/**
 * The matrix that makes logits; `undefined` where the token embeddings do it. Folders of tied models may store it a second time, and
 * MLX's tools may quantise it otherwise than the embeddings: then it is a matrix of its own.
 * @throws DeskhandError `invalid_model` when the folder has none though it is not tied.
 */
export function outputHead(weights: Weights, { path = "lm_head", embeddings, tied, inputs, outputs, quantization }: OutputHeadOptions): Linear | undefined {
  const isStored = weights.has(`${path}.weight`);
  const isOwn = isStored && (weights.has(`${path}.scales`) || weights.has(`${embeddings}.scales`));
  if ((tied ?? !isStored) && !isOwn) {
    weights.tie(`${path}.weight`, `${embeddings}.weight`);
    return undefined;
  }
  if (!isStored) throw new DeskhandError("invalid_model", `Expected a weight named ${path}.weight, since tie_word_embeddings in config.json is false, but the model has none. Is the download complete?`);
  return new Linear(weights, path, { inputs, outputs, bias: false, quantization });
}
