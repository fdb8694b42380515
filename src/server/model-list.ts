import type { EngineHost } from "./engine-host.js";
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

/** The served model first, then every other known one. */
export function listedModels(host: EngineHost, known: readonly KnownModel[], created: number): Model[] {
  const served = servedModel(host, known, created);
  const others = known.filter(({ id, aliases }) => id !== served?.id && !aliases.some((alias) => served?.aliases.includes(alias)));
  return [
    ...(served ? [served] : []),
    ...others.map(
      (model): Model => ({
        ...head(model.id, created),
        state: model.isCached ? "cached" : "available",
        aliases: model.aliases,
        model_type: model.modelType,
        size_bytes: model.sizeBytes,
        quantization: model.quantization,
      }),
    ),
  ];
}

function servedModel(host: EngineHost, known: readonly KnownModel[], created: number): Model | undefined {
  if (!host.info) return undefined;
  const { id, modelType, contextLength, vision } = host.info;
  const [, ...aliases] = host.names();
  const listed = known.find((model) => model.id === id || model.aliases.some((alias) => aliases.includes(alias)));
  return {
    ...head(id, created),
    state: "loaded",
    aliases,
    model_type: modelType,
    context_length: contextLength,
    vision,
    size_bytes: listed?.sizeBytes,
    quantization: listed?.quantization,
  };
}

function head(id: string, created: number) {
  return { id, object: "model" as const, created, owned_by: id.includes("/") ? (id.split("/")[0] ?? "") : "deskhand" };
}
