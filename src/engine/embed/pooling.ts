import { join } from "node:path";
import { z } from "zod";
import { DeskhandError } from "../../core/errors.js";
import { parseWith, readJson } from "../../core/json.js";
import { pathExists } from "../hub/path-exists.js";

/** Which rows of hidden states stand for a text, and whether the result has length 1. */
export interface Pooling {
  rows: "last" | "first" | "mean";
  isNormalized: boolean;
}

const Modules = z.array(z.looseObject({ type: z.string(), path: z.string() }));

/** sentence-transformers' own file; the modes that are not named are off. */
const PoolingConfig = z.looseObject({
  pooling_mode_cls_token: z.boolean().default(false),
  pooling_mode_mean_tokens: z.boolean().default(false),
  pooling_mode_lasttoken: z.boolean().default(false),
  pooling_mode_max_tokens: z.literal(false).default(false),
  pooling_mode_mean_sqrt_len_tokens: z.literal(false).default(false),
  pooling_mode_weightedmean_tokens: z.literal(false).default(false),
});

/** As sentence-transformers treats a model that says nothing; of length 1, as OpenAI's embeddings are. */
const WITHOUT_MODULES: Pooling = { rows: "mean", isNormalized: true };

/**
 * How a model's folder says that texts become vectors: modules.json and what it points to.
 * @throws DeskhandError `unsupported_model` for modules that compute something else, naming them.
 */
export async function readPooling(dir: string): Promise<Pooling> {
  const path = join(dir, "modules.json");
  if (!(await pathExists(path))) return WITHOUT_MODULES;
  const modules = parseWith(Modules, await readJson(path), path, "unsupported_model");
  let rows: Pooling["rows"] | undefined;
  let isNormalized = false;
  for (const { type, path: folder } of modules) {
    const kind = type.split(".").at(-1);
    if (kind === "Pooling") rows = await readRows(join(dir, folder, "config.json"));
    else if (kind === "Normalize") isNormalized = true;
    else if (kind !== "Transformer") throw new DeskhandError("unsupported_model", `Expected the modules Transformer, Pooling and Normalize in ${path} but received ${type}, which this engine does not compute.`);
  }
  if (rows === undefined) throw new DeskhandError("unsupported_model", `Expected a Pooling module in ${path} but there is none: without it a text has many vectors.`);
  return { rows, isNormalized };
}

async function readRows(path: string): Promise<Pooling["rows"]> {
  const { pooling_mode_lasttoken: last, pooling_mode_mean_tokens: mean, pooling_mode_cls_token: first } = parseWith(PoolingConfig, await readJson(path), path, "unsupported_model");
  const modes = { last, mean, first };
  const chosen = (["last", "mean", "first"] as const).filter((mode) => modes[mode]);
  if (chosen.length !== 1) throw new DeskhandError("unsupported_model", `Expected one pooling mode in ${path} but received ${chosen.length}. Modes are added up by no model that this engine knows.`);
  return chosen[0]!;
}
