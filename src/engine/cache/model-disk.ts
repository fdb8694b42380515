import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { mlxVersion } from "../mlx/index.js";
import type { ModelLimits } from "../limits.js";
import type { Architecture } from "../models/architecture.js";
import { PrefixDisk, type ModelIdentity } from "./prefix-disk.js";

/**
 * Where a model's prefix cache goes when it leaves memory, if the limits have it go anywhere.
 * @param how the device and the types that the model is loaded for.
 */
export async function openModelDisk(dir: string, how: string, architecture: Architecture, { prefixCacheDir, prefixCacheDiskBytes: maxBytes }: ModelLimits): Promise<PrefixDisk | undefined> {
  if (maxBytes === 0) return undefined;
  return PrefixDisk.open({ dir: prefixCacheDir, maxBytes, model: await identityOf(dir, how), createCache: () => architecture.createCache() });
}

/**
 * Tells a model's rows from those of any other: by its folder and how it is loaded, and by everything that computes them. Weights are told by
 * size and time, since reading them all takes longer than what the rows save; a copy counts as another model.
 */
async function identityOf(dir: string, how: string): Promise<ModelIdentity> {
  const names = (await readdir(dir)).filter((name) => /\.(safetensors|json)$/.test(name)).sort();
  const files = await Promise.all(
    names.map(async (name) => {
      const { size, mtimeMs, ctimeMs } = await stat(join(dir, name));
      return [name, size, mtimeMs, ctimeMs];
    }),
  );
  const program = await readFile(fileURLToPath(new URL("../../../package.json", import.meta.url)), "utf8");
  const hash = createHash("sha256").update(program).update(JSON.stringify([mlxVersion, files]));
  return { name: `${dir} ${how}`, fingerprint: hash.digest("hex") };
}
