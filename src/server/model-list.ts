import type { HostedModel } from "./hosted-model.js";
import type { Model } from "./schemas/models.js";

/** A model this machine knows of, loaded or not. */
export interface KnownModel {
  id: string;
  aliases: string[];
  /** Whether it is on this disk. */
  isCached: boolean;
  modelType?: string;
  sizeBytes?: number;
  quantization?: string;
}

export interface ModelListOptions {
  hosted: readonly HostedModel[];
  known: readonly KnownModel[];
  /** Whether requests may name the models of this machine that are not hosted. */
  allowLoad: boolean;
  /** Unix time, seconds. */
  created: number;
}

/** The models that requests may name first, the default before the others, then every other known one. */
export function listedModels({ hosted, known, allowLoad, created }: ModelListOptions): Model[] {
  const own = hosted.map((model) => hostedModel(model, known, created));
  const others = known.filter(({ id, aliases }) => !own.some((model) => [model.id, ...model.aliases].some((name) => name === id || aliases.includes(name))));
  return [
    ...own,
    ...others.map(
      (model): Model => ({
        ...head(model.id, created),
        state: model.isCached ? "cached" : "available",
        loadable: model.isCached && allowLoad,
        aliases: model.aliases,
        model_type: model.modelType,
        size_bytes: model.sizeBytes,
        quantization: model.quantization,
      }),
    ),
  ];
}

/** One that requests may name. */
export function hostedModel(model: HostedModel, known: readonly KnownModel[], created: number): Model {
  const [id, ...aliases] = model.names as [string, ...string[]];
  const listed = known.find((one) => one.id === id || one.aliases.some((alias) => aliases.includes(alias)));
  const { info } = model;
  return {
    ...head(id, created),
    state: model.state === "ready" ? "loaded" : model.state === "unloaded" ? (listed?.isCached === false ? "available" : "cached") : model.state,
    loadable: true,
    pinned: model.isPinned,
    aliases,
    tasks: info && [...info.tasks],
    model_type: info?.modelType ?? listed?.modelType,
    context_length: info?.contextLength,
    vision: info?.vision,
    size_bytes: listed?.sizeBytes,
    memory_bytes: model.bytes || undefined,
    quantization: listed?.quantization,
  };
}

function head(id: string, created: number) {
  return { id, object: "model" as const, created, owned_by: id.includes("/") ? (id.split("/")[0] ?? "") : "deskhand" };
}
