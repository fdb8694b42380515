import { DeskhandError } from "../../core/errors.js";
import type { EngineHost } from "../engine-host.js";
import { listedModels, type KnownModel } from "../model-list.js";
import type { Routes } from "../openapi/zod-types.js";
import { Model, ModelList } from "../schemas/models.js";

export interface ModelsDependencies {
  host: EngineHost;
  /** What this machine knows of; asked anew for each request, since downloads come and go. */
  listModels: () => Promise<KnownModel[]>;
}

const tag = "OpenAI";
const listDocs = { operationId: "listModels", summary: "The models this server tells of, the served one first", tag, answer: ModelList };
const modelDocs = {
  operationId: "retrieveModel",
  summary: "One of these models",
  tag,
  answer: Model,
  params: { id: "The model's id or an alias; slashes may be escaped or not." },
  errors: [404],
};

/** `GET /v1/models` and `GET /v1/models/{id}`; an id may hold slashes, escaped or not. */
export function registerModels(app: Routes, deps: ModelsDependencies): void {
  const { host, listModels } = deps;
  const created = Math.floor(Date.now() / 1000);
  const list = async (): Promise<Model[]> => listedModels(host, await listModels(), created);

  app.get("/v1/models", { config: { docs: listDocs } }, async (): Promise<ModelList> => ({ object: "list", data: await list() }));

  app.get<{ Params: { "*": string } }>("/v1/models/*", { config: { docs: modelDocs } }, async (request): Promise<Model> => {
    const id = request.params["*"];
    const model = (await list()).find((entry) => entry.id === id || entry.aliases.includes(id));
    if (!model) throw new DeskhandError("model_not_found", `This server knows no model ${JSON.stringify(id)}. GET /v1/models lists what is there.`, { param: "model" });
    return model;
  });
}
