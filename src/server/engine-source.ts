import { HUB_ALIASES } from "../engine/hub/aliases.js";
import { hubEnvironment } from "../engine/hub/environment.js";
import { listModels as listLocalModels } from "../engine/hub/list.js";
import { folderSizeBytes } from "../engine/hub/model-folder.js";
import { modelIdOf, resolveModel } from "../engine/hub/resolve.js";
import { ProcessEngine } from "../engine/host/process-engine.js";
import type { ModelSpec } from "./hosted-model.js";
import type { KnownModel } from "./model-list.js";

/** A model by the name a person gives it, in a process of its own once it is loaded. Throws `model_not_found` for what can be no model. */
export async function modelSpec(name: string, { toolFormat, ...options }: { toolFormat?: string } & Pick<ModelSpec, "isPinned"> = {}): Promise<ModelSpec> {
  const id = await modelIdOf(name);
  return {
    ...options,
    id,
    names: [name, ...aliasesOf(id)],
    createEngine: (limits) => new ProcessEngine(name, { toolFormat, ...limits }),
    sizeBytes: () => localSizeBytes(name),
  };
}

/** A model of this machine by one of its names, for requests: nothing is downloaded for them, and no path is read. */
export async function localModelSpec(name: string): Promise<ModelSpec | undefined> {
  const model = (await listModels()).find(({ id, aliases, isCached }) => isCached && (id === name || aliases.includes(name)));
  return model && modelSpec(model.id);
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
function aliasesOf(id: string): string[] {
  return Object.entries(HUB_ALIASES).flatMap(([alias, target]) => (target === id ? [alias] : []));
}

/** About what a model's weights will take; undefined while it is not on this machine. */
async function localSizeBytes(name: string): Promise<number | undefined> {
  try {
    return await folderSizeBytes((await resolveModel(name, { offline: true })).dir);
  } catch {
    // Loading will say what is wrong with it.
    return undefined;
  }
}
