import { copyFile, cp, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { parseWith } from "../../core/json.js";
import type { DType, Quantization } from "../mlx/index.js";
import { INDEX_FILE } from "../hub/model-folder.js";
import type { LayerOverrides } from "./plan.js";

/** Tokenizer, template, processor and generation files, custom code and licences. */
const COMPANIONS = /\.(json|jinja|txt|model|tiktoken|py)$|^(LICEN[CS]E|NOTICE)/i;
const TEMPLATES = "additional_chat_templates";

/** Copies what belongs to a model besides its weights and config.json. */
export async function copyCompanions(from: string, to: string): Promise<void> {
  for (const name of await readdir(from)) {
    // Links are followed: a folder of the Hugging Face cache is made of them.
    const info = await stat(join(from, name)).catch(() => undefined);
    if (name === TEMPLATES && info?.isDirectory()) await cp(join(from, name), join(to, name), { recursive: true, dereference: true });
    if (info?.isFile() && COMPANIONS.test(name) && name !== "config.json" && !name.endsWith(".index.json")) await copyFile(join(from, name), join(to, name));
  }
}

export interface ConfigChange {
  quantization?: Quantization;
  overrides: LayerOverrides;
  dequantize?: boolean;
  dtype?: DType;
  /** What the family's layout says at the top of config.json. */
  fields?: Readonly<Record<string, unknown>>;
}

const Config = z.record(z.string(), z.unknown());

/** Writes config.json as MLX's tools read it: `quantization` says how layers are packed, `quantization_config` says it again for Hugging Face. */
export async function writeConfig(dir: string, config: unknown, change: ConfigChange): Promise<void> {
  let fields = { ...parseWith(Config, config, "config.json", "invalid_model"), ...change.fields };
  if (change.dequantize) fields = omit(fields, "quantization", "quantization_config");
  if (change.dtype !== undefined) fields = withDtype(fields, change.dtype);
  if (change.quantization !== undefined) {
    const { bits, groupSize, mode } = change.quantization;
    const quantization = { group_size: groupSize, bits, mode, ...change.overrides };
    fields = { ...fields, quantization, quantization_config: quantization };
  }
  await writeJson(join(dir, "config.json"), Object.fromEntries(Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1))));
}

/** Writes the index that says which shard holds which weight. */
export async function writeIndex(dir: string, totalSize: number, weightMap: Readonly<Record<string, string>>): Promise<void> {
  await writeJson(join(dir, INDEX_FILE), { metadata: { total_size: totalSize }, weight_map: Object.fromEntries(Object.entries(weightMap).sort(([a], [b]) => (a < b ? -1 : 1))) });
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await writeFile(path, `${JSON.stringify(value, null, 4)}\n`);
}

/** The type is told at the top and by each half, under one key or the other. */
function withDtype(fields: Record<string, unknown>, dtype: DType): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => {
      if (key === "torch_dtype" || key === "dtype") return [key, dtype];
      const nested = key.endsWith("_config") ? Config.safeParse(value).data : undefined;
      return [key, nested === undefined ? value : withDtype(nested, dtype)];
    }),
  );
}

function omit(fields: Record<string, unknown>, ...keys: string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([key]) => !keys.includes(key)));
}
