import { join } from "node:path";
import { z } from "zod";
import { readJson } from "../../core/json.js";
import { EMBEDDED_MODELS, HUB_ALIASES } from "./aliases.js";
import { cachedModelIds, cachedSnapshot } from "./cache.js";
import { hubEnvironment } from "./environment.js";
import { folderSizeBytes, missingFromFolder } from "./model-folder.js";
import { embeddedDir } from "./resolve.js";

export interface ListedModel {
  id: string;
  /** The short name that `resolveModel` takes for it. */
  alias?: string;
  source: "embedded" | "cache";
  dir: string;
  modelType?: string;
  quantization?: { bits: number; groupSize: number };
  sizeBytes: number;
}

const configSchema = z.looseObject({
  model_type: z.string().optional().catch(undefined),
  quantization: z.looseObject({ bits: z.number(), group_size: z.number() }).optional().catch(undefined),
});

/** Models that can be loaded without a network: those shipped with the package, then those in the Hugging Face cache, by id. */
export async function listModels(): Promise<ListedModel[]> {
  const { cacheDir } = hubEnvironment();
  const models: ListedModel[] = [];
  for (const name of EMBEDDED_MODELS) {
    const dir = embeddedDir(name);
    if ((await missingFromFolder(dir).catch(() => "the folder")) === undefined) models.push({ id: name, alias: name, source: "embedded", dir, ...(await describe(dir)) });
  }
  for (const id of await cachedModelIds(cacheDir)) {
    const dir = await cachedSnapshot(cacheDir, id);
    if (dir === undefined) continue;
    const alias = Object.entries(HUB_ALIASES).find(([, target]) => target === id)?.[0];
    models.push({ id, ...(alias === undefined ? {} : { alias }), source: "cache", dir, ...(await describe(dir)) });
  }
  return models;
}

/** A config.json that cannot be read leaves the type out: listing must not fail for one damaged model. */
async function describe(dir: string): Promise<Pick<ListedModel, "modelType" | "quantization" | "sizeBytes">> {
  const config = configSchema.safeParse(await readJson(join(dir, "config.json")).catch(() => undefined));
  const { model_type, quantization } = config.data ?? {};
  return {
    ...(model_type === undefined ? {} : { modelType: model_type }),
    ...(quantization === undefined ? {} : { quantization: { bits: quantization.bits, groupSize: quantization.group_size } }),
    sizeBytes: await folderSizeBytes(dir),
  };
}
