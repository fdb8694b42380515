import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { pathExists } from "./path-exists.js";

export const INDEX_FILE = "model.safetensors.index.json";

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

/** The weight files an index names, each once. `undefined` when the text is no index. */
export function shardsOfIndex(text: string): string[] | undefined {
  try {
    const index = indexSchema.safeParse(JSON.parse(text));
    return index.success ? [...new Set(Object.values(index.data.weight_map))] : undefined;
  } catch {
    return undefined;
  }
}

/** What a model folder lacks to be loaded; `undefined` when it is complete. Dangling links count as missing. */
export async function missingFromFolder(dir: string): Promise<string | undefined> {
  if (!(await pathExists(join(dir, "config.json")))) return "config.json";
  const index = await readFile(join(dir, INDEX_FILE), "utf8").catch(() => undefined);
  if (index === undefined) {
    const weights = (await readdir(dir)).filter((name) => name.endsWith(".safetensors"));
    const present = await Promise.all(weights.map((name) => pathExists(join(dir, name))));
    return present.some(Boolean) && present.every(Boolean) ? undefined : (weights[present.indexOf(false)] ?? "model.safetensors");
  }
  const shards = shardsOfIndex(index);
  if (!shards) return `a valid ${INDEX_FILE}`;
  for (const shard of shards) if (!(await pathExists(join(dir, shard)))) return shard;
  return undefined;
}

/** Bytes of all files in a model folder, links followed. */
export async function folderSizeBytes(dir: string): Promise<number> {
  const entries = await readdir(dir);
  const sizes = await Promise.all(entries.map((name) => stat(join(dir, name)).then((info) => (info.isFile() ? info.size : 0), () => 0))); // prettier-ignore
  return sizes.reduce((sum, size) => sum + size, 0);
}
