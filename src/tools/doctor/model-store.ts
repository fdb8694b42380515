import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { dirname } from "node:path";
import { messageOf } from "../../core/errors.js";
import { DEFAULT_MODEL } from "../../server/defaults.js";
import { listModels, modelCacheDir } from "../../server/engine-source.js";
import type { KnownModel } from "../../server/model-list.js";
import type { Check } from "./check.js";

/** The embedded model, the Hugging Face cache, and what is in it. */
export async function checkModels(list: () => Promise<KnownModel[]> = listModels, cacheDir = modelCacheDir()): Promise<Check[]> {
  let models: KnownModel[];
  try {
    models = await list();
  } catch (error) {
    return [{ id: "models", title: "Models", status: "fail", found: messageOf(error), mend: "check that the folder can be read" }];
  }
  return [embeddedCheck(models), await cacheCheck(cacheDir), cachedCheck(models)];
}

function embeddedCheck(models: readonly KnownModel[]): Check {
  const check = { id: "embedded_model", title: "Embedded model" };
  const embedded = models.find(({ id }) => id === DEFAULT_MODEL);
  if (embedded?.isCached) return { ...check, status: "ok", found: `${embedded.id}, ${megabytes(embedded.sizeBytes)}` };
  return { ...check, status: "fail", found: `models/${DEFAULT_MODEL} is not there or not complete`, mend: `git checkout -- models/${DEFAULT_MODEL} (or install the package again)` };
}

/** A cache that does not exist yet is made by the first download, so its nearest existing parent has to be writable. */
async function cacheCheck(cacheDir: string): Promise<Check> {
  const check = { id: "model_cache", title: "Model cache" };
  for (let folder = cacheDir; ; folder = dirname(folder)) {
    try {
      await access(folder, constants.W_OK);
      return { ...check, status: "ok", found: folder === cacheDir ? cacheDir : `${cacheDir} (made by the first download)` };
    } catch (error) {
      const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
      if (isMissing && folder !== dirname(folder)) continue;
      return { ...check, status: "warn", found: `${cacheDir} cannot be written: models there can be used, none can be downloaded`, mend: "set HF_HOME to a folder of your own" };
    }
  }
}

function cachedCheck(models: readonly KnownModel[]): Check {
  const cached = models.filter(({ id, isCached }) => isCached && id !== DEFAULT_MODEL).map(({ id, sizeBytes }) => `${id} (${megabytes(sizeBytes)})`);
  return { id: "cached_models", title: "Cached models", status: "ok", found: cached.join(", ") || "none; one is downloaded when it is first asked for" };
}

function megabytes(bytes: number | undefined): string {
  return bytes === undefined ? "size unknown" : `${Math.round(bytes / 1e6)} MB`;
}
