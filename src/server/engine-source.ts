import type { Engine } from "../engine/inference.js";
import { ProcessEngine } from "../engine/host/process-engine.js";
import { HUB_ALIASES } from "../engine/hub/aliases.js";
import { hubEnvironment } from "../engine/hub/environment.js";
import { listModels as listLocalModels } from "../engine/hub/list.js";
import { DEFAULT_MODEL } from "./defaults.js";
import type { KnownModel } from "./model-list.js";

/** An engine for a model, in a process of its own, not started. */
export function createEngine(model = DEFAULT_MODEL, options: { toolFormat?: string } = {}): Engine {
  return new ProcessEngine(model, options);
}

/** Every model this machine knows of: shipped, in the Hugging Face cache, and those with an alias that would be downloaded. */
export async function listModels(): Promise<KnownModel[]> {
  const local = (await listLocalModels()).map(
    ({ id, modelType, sizeBytes, quantization }): KnownModel => ({
      id,
      aliases: aliasesOf(id),
      isCached: true,
      modelType,
      sizeBytes,
      quantization: quantization && `${quantization.bits}-bit`,
    }),
  );
  const missing = Object.values(HUB_ALIASES).filter((id) => !local.some((model) => model.id === id));
  return [...local, ...missing.map((id): KnownModel => ({ id, aliases: aliasesOf(id), isCached: false }))];
}

/** The Hugging Face cache, where models are downloaded to. */
export function modelCacheDir(): string {
  return hubEnvironment().cacheDir;
}

/** The short names of a hub id. */
export function aliasesOf(id: string): string[] {
  return Object.entries(HUB_ALIASES).flatMap(([alias, target]) => (target === id ? [alias] : []));
}
