import { DeskhandError } from "../core/errors.js";
import type { Engine } from "../engine/inference.js";
import { DEFAULT_MODEL } from "./defaults.js";
import { modelSpec } from "./engine-source.js";
import type { ModelSpec } from "./hosted-model.js";

/** Which models a server serves. */
export interface ServedModelsOptions {
  /**
   * Aliases, folders, or Hugging Face ids; the embedded model when left out. The first is loaded at the start and answers requests that
   * name no model; the others are loaded by the first request that names them.
   */
  model?: string | readonly string[];
  /** Of these, or further ones: loaded at the start, and never let go to make room. */
  pin?: readonly string[];
  /** Further names for them, e.g. `{ "gpt-4o": "qwen" }`. */
  aliases?: Readonly<Record<string, string>>;
  /** Serves this engine instead of loading a `model`, e.g. a scripted one; `model` is then its name. The server starts it, and stops it on `close`. */
  engine?: Engine;
  /** Tool-call format of the models' answers; the one each chat template teaches when left out. */
  toolFormat?: string;
}

/**
 * The models a server is asked to serve, the default first.
 * @throws DeskhandError `model_not_found` for what can be no model, `invalid_argument` when names clash or an alias leads nowhere.
 */
export async function servedModels({ model = [], pin = [], aliases = {}, engine, toolFormat }: ServedModelsOptions): Promise<[ModelSpec, ...ModelSpec[]]> {
  const given = typeof model === "string" ? [model] : model;
  const specs: ModelSpec[] = [];
  // An engine that exists already cannot be made again.
  if (engine !== undefined) specs.push({ id: given[0] ?? DEFAULT_MODEL, names: given, isPinned: true, createEngine: () => engine });
  else {
    const names = [...new Set([...given, ...pin])];
    for (const name of names.length === 0 ? [DEFAULT_MODEL] : names) specs.push(await modelSpec(name, { toolFormat, isPinned: pin.includes(name) }));
  }
  for (const [i, { id, names = [] }] of specs.entries()) {
    const twin = specs.slice(0, i).find((other) => other.id === id);
    if (twin) throw new DeskhandError("invalid_argument", `Expected models that can be told apart but "${twin.names?.[0]}" and "${names[0]}" are both called ${id}. Name each once; rename a folder.`, { param: "model" });
  }
  return withAliases(specs, aliases) as [ModelSpec, ...ModelSpec[]];
}

function withAliases(specs: readonly ModelSpec[], aliases: Readonly<Record<string, string>>): ModelSpec[] {
  const answersTo = ({ id, names = [] }: ModelSpec, name: string): boolean => id === name || names.includes(name);
  for (const [alias, target] of Object.entries(aliases)) {
    if (!specs.some((spec) => answersTo(spec, target))) throw new DeskhandError("invalid_argument", `Expected the alias "${alias}" to stand for a served model but "${target}" is none. Name it with --model too.`, { param: "aliases" });
    if (specs.some((spec) => answersTo(spec, alias))) throw new DeskhandError("invalid_argument", `Expected an alias that is no served model's name but received "${alias}". Choose another one.`, { param: "aliases" });
  }
  return specs.map((spec) => ({ ...spec, names: [...(spec.names ?? []), ...Object.keys(aliases).filter((alias) => answersTo(spec, aliases[alias]!))] }));
}
