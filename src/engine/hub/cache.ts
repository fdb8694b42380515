import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { missingFromFolder } from "./model-folder.js";

/**
 * The Hugging Face cache: `models--org--name/{refs/main, snapshots/<commit>/…, blobs/…}`, shared with Python's huggingface_hub.
 */
export function repoFolder(cacheDir: string, id: string): string {
  return join(cacheDir, ["models", ...id.split("/")].join("--"));
}

/** The folder of a complete snapshot, without any network: the one `refs/main` names, else the newest. */
export async function cachedSnapshot(cacheDir: string, id: string): Promise<string | undefined> {
  const snapshots = join(repoFolder(cacheDir, id), "snapshots");
  const main = (await readFile(join(repoFolder(cacheDir, id), "refs", "main"), "utf8").catch(() => "")).trim();
  const others = await newestFirst(snapshots);
  for (const commit of main ? [main, ...others.filter((name) => name !== main)] : others) {
    const dir = join(snapshots, commit);
    if ((await missingFromFolder(dir).catch(() => "the folder")) === undefined) return dir;
  }
  return undefined;
}

/** Ids of all models in the cache, complete or not, in alphabetical order. */
export async function cachedModelIds(cacheDir: string): Promise<string[]> {
  const names = await readdir(cacheDir).catch((): string[] => []);
  return names
    .filter((name) => name.startsWith("models--"))
    .map((name) => name.split("--").slice(1).join("/"))
    .sort();
}

async function newestFirst(dir: string): Promise<string[]> {
  const names = await readdir(dir).catch((): string[] => []);
  const dated = await Promise.all(names.map(async (name) => ({ name, modifiedMs: (await stat(join(dir, name)).catch(() => undefined))?.mtimeMs ?? 0 })));
  return dated.sort((a, b) => b.modifiedMs - a.modifiedMs).map(({ name }) => name);
}
