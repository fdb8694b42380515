import { randomUUID } from "node:crypto";
import { lstat, mkdir, rename, rm, rmdir } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { DeskhandError, messageOf } from "../../core/errors.js";
import { resolveModel } from "../hub/resolve.js";
import type { Quantization } from "../mlx/index.js";
import { copyCompanions, writeConfig } from "./files.js";
import { openFolder } from "./folders.js";
import { MLX_LAYOUTS } from "./layouts.js";
import { resolveQuantization, type ConvertOptions } from "./options.js";
import { planSteps } from "./plan.js";
import { writeShards } from "./shards.js";
import { listSources } from "./sources.js";

/**
 * Writes a model in the layout that MLX's tools load (mlx-lm, mlx-vlm, mlx-audio and this engine): plain, quantised, or plain again.
 * Weights go through memory one by one. The folder appears whole or not at all.
 * @param name a folder, an alias or a Hugging Face id
 * @returns the folder made
 * @throws DeskhandError `invalid_argument` for options that do not go together or an `out` that exists, `unsupported_model`,
 * `invalid_model`, `model_not_found`, `cancelled`.
 */
export async function convert(name: string, options: ConvertOptions): Promise<string> {
  const quantization = resolveQuantization(options);
  const out = resolve(options.out);
  await refuseExisting(out);
  const { onProgress, signal } = options;
  const { dir } = await resolveModel(name, { onProgress, signal });
  const partial = join(dirname(out), `.${basename(out)}.partial-${randomUUID()}`);
  let firstMade: string | undefined;
  try {
    firstMade = await mkdir(partial, { recursive: true });
    await writeModel(dir, partial, quantization, options);
    await refuseExisting(out);
    await rename(partial, out);
    return out;
  } catch (error) {
    if (firstMade !== undefined) await removeMade(partial, firstMade);
    if (error instanceof Error && "syscall" in error) {
      throw new DeskhandError("internal", `Expected to write ${out} but received: ${messageOf(error)}. Choose a folder that can be written and has room for the model.`, { cause: error });
    }
    throw error;
  }
}

/** Removes a folder and those above it, down from `firstMade`, that were made for it and hold nothing else. What cannot be removed stays: the error to tell is another. */
async function removeMade(folder: string, firstMade: string): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true });
    for (let above = dirname(folder); above.length >= firstMade.length; above = dirname(above)) await rmdir(above);
  } catch {
    return;
  }
}

async function writeModel(from: string, to: string, quantization: Quantization | undefined, options: ConvertOptions): Promise<void> {
  const { dtype, dequantize = false } = options;
  const { modelType, config, quantized, aliases, weights } = await openFolder(from);
  try {
    const layout = MLX_LAYOUTS[modelType];
    if (layout === undefined) throw new DeskhandError("unsupported_model", `Expected a model_type that can be converted, one of ${Object.keys(MLX_LAYOUTS).join(", ")}, but ${from} has ${modelType}, for which MLX's tools have no layout. The model runs as it is.`);
    if (quantization !== undefined && quantized !== undefined) throw new DeskhandError("invalid_argument", `Expected plain weights to quantise but ${from} has ${quantized.bits}-bit ones. Make them plain first (dequantize), or better, quantise the original.`, { param: "quantize" });
    if (dequantize && quantized === undefined) throw new DeskhandError("invalid_argument", `Expected quantised weights to make plain but those of ${from} are plain already. Leave dequantize out.`, { param: "dequantize" });
    const sources = listSources(weights, { layout: { names: aliases, ...layout }, dequantize: dequantize ? quantized : undefined });
    const { steps, overrides } = planSteps(sources, { ...options, quantization, layout });
    await writeShards(to, steps, options);
    await writeConfig(to, config, { quantization, overrides, dequantize, dtype, fields: layout.config });
    await copyCompanions(from, to);
  } finally {
    weights.close();
  }
}

async function refuseExisting(out: string): Promise<void> {
  const exists = await lstat(out).then(
    () => true,
    () => false,
  );
  if (exists) throw new DeskhandError("invalid_argument", `Expected out to name a folder that does not exist yet but ${out} does. Choose another name, or remove it.`, { param: "out" });
}
