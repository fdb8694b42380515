import { readdir } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { DeskhandError } from "../../core/errors.js";
import type { OnProgress } from "../../core/progress.js";
import { describeAliases, EMBEDDED_MODELS, HUB_ALIASES, nearestAlias } from "./aliases.js";
import { cachedSnapshot } from "./cache.js";
import { downloadSnapshot } from "./download.js";
import { hubEnvironment } from "./environment.js";
import { missingFromFolder } from "./model-folder.js";

export interface ResolvedModel {
  /** The folder that holds config.json, tokenizer and weights. */
  dir: string;
  /** What to call the model: a hub id, an alias of the package, or the folder's name. */
  id: string;
  source: "folder" | "embedded" | "cache" | "download";
}

export interface ResolveOptions {
  signal?: AbortSignal;
  onProgress?: OnProgress;
  /** Never use the network. Default: what HF_HUB_OFFLINE says. */
  offline?: boolean;
}

/** Hub ids: `organisation/name`, each of letters, digits, `-`, `_` and `.`. */
const HUB_ID = /^[\w-][\w.-]*\/[\w-][\w.-]*$/;

/**
 * Finds a model: an alias (`qwen`, `gemma`, `tiny`), a folder, or a hub id, which is taken from the Hugging Face cache without touching the
 * network, else downloaded into it. A folder wins over a hub id of the same spelling; write `./qwen` for a folder named like an alias.
 *
 * @throws DeskhandError `model_not_found`, `invalid_model` (a folder that lacks files), `unauthorized` (gated), `unsupported_model` (no
 * safetensors), `cancelled`, `model_not_found` when offline and not cached.
 */
export async function resolveModel(nameOrPath: string, { signal, onProgress, offline }: ResolveOptions = {}): Promise<ResolvedModel> {
  if (EMBEDDED_MODELS.includes(nameOrPath)) return embedded(nameOrPath);
  const name = HUB_ALIASES[nameOrPath] ?? nameOrPath;
  if (name === nameOrPath) {
    const dir = folderOf(nameOrPath);
    if (nameOrPath !== "" && (await isFolder(dir))) return { dir: await complete(dir), id: basename(dir), source: "folder" };
    if (!HUB_ID.test(nameOrPath)) throw unknownModel(nameOrPath);
  }
  const environment = hubEnvironment();
  const cached = await cachedSnapshot(environment.cacheDir, name);
  if (cached !== undefined) return { dir: cached, id: name, source: "cache" };
  if (offline ?? environment.offline) {
    throw new DeskhandError("model_not_found", `Expected ${name} in the Hugging Face cache (${environment.cacheDir}) but it is not there or not complete, and downloads are off (HF_HUB_OFFLINE). Allow downloads, copy the model there, or give a folder.`);
  }
  const dir = await downloadSnapshot(name, { ...environment, signal, onProgress });
  return { dir, id: name, source: "download" };
}

/**
 * The id that `resolveModel` gives a model, whether or not it is on this machine.
 * @throws DeskhandError `model_not_found` for what can be no model's name.
 */
export async function modelIdOf(nameOrPath: string): Promise<string> {
  if (EMBEDDED_MODELS.includes(nameOrPath)) return nameOrPath;
  const alias = HUB_ALIASES[nameOrPath];
  if (alias !== undefined) return alias;
  const dir = folderOf(nameOrPath);
  if (nameOrPath !== "" && (await isFolder(dir))) return basename(dir);
  if (!HUB_ID.test(nameOrPath)) throw unknownModel(nameOrPath);
  return nameOrPath;
}

/** The folder of a model shipped in the package's `models/`. */
export function embeddedDir(name: string): string {
  // src/engine/hub and dist/engine/hub are both three levels below the package.
  return fileURLToPath(new URL(`../../../models/${name}`, import.meta.url));
}

async function embedded(name: string): Promise<ResolvedModel> {
  return { dir: await complete(embeddedDir(name)), id: name, source: "embedded" };
}

async function complete(dir: string): Promise<string> {
  const missing = await missingFromFolder(dir).catch(() => "config.json");
  if (missing !== undefined) throw new DeskhandError("invalid_model", `Expected a model folder with config.json and safetensors at ${dir} but ${missing} is missing. Download or copy the model again.`);
  return dir;
}

function folderOf(path: string): string {
  return resolve(path.replace(/^~(?=$|\/)/, homedir()));
}

async function isFolder(path: string): Promise<boolean> {
  return readdir(path).then(
    () => true,
    () => false,
  );
}

function unknownModel(name: string): DeskhandError {
  const near = nearestAlias(name);
  return new DeskhandError(
    "model_not_found",
    `Expected a model but received "${name}", which is none.${near ? ` Did you mean "${near}"?` : ""} Name one in one of three ways: an alias, ${describeAliases()}; a folder with config.json and safetensors; a Hugging Face id such as mlx-community/Qwen3-VL-4B-Instruct-4bit.`,
    { param: "model" },
  );
}
