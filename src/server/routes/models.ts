import { DeskhandError } from "../../core/errors.js";
import type { HostedModel } from "../hosted-model.js";
import { causeOf, type InFlight } from "../in-flight.js";
import { hostedModel, listedModels, type KnownModel } from "../model-list.js";
import type { ModelPool } from "../model-pool.js";
import type { Routes } from "../openapi/zod-types.js";
import { Model, ModelList, ModelName } from "../schemas/models.js";

export interface ModelsDependencies {
  models: ModelPool;
  inFlight: InFlight;
  /** What this machine knows of; asked anew for each request, since downloads come and go. */
  listModels: () => Promise<KnownModel[]>;
  allowLoad: boolean;
  /** Whether requests have shown a key: what is loaded is for those who may say so. */
  hasKey: boolean;
}

const tag = "OpenAI";
const listDocs = { operationId: "listModels", summary: "The models this server tells of, those that requests may name first", tag, answer: ModelList };
const modelDocs = {
  operationId: "retrieveModel",
  summary: "One of these models",
  tag,
  answer: Model,
  params: { id: "The model's id or an alias; slashes may be escaped or not." },
  errors: [404],
};
const loadDocs = { operationId: "loadModel", summary: "Load a model, and wait until it is there; needs a server with a key", tag: "Server", answer: Model, errors: [403, 422] };
const unloadDocs = { operationId: "unloadModel", summary: "Free a model's memory; needs a server with a key", tag: "Server", answer: Model, errors: [403, 409] };

/** `GET /v1/models` and `GET /v1/models/{id}`, where an id may hold slashes, escaped or not; `POST /v1/models/load` and `/unload`. */
export function registerModels(app: Routes, deps: ModelsDependencies): void {
  const { models, inFlight, listModels, allowLoad, hasKey } = deps;
  const created = Math.floor(Date.now() / 1000);
  const list = async (): Promise<Model[]> => listedModels({ hosted: models.models, known: await listModels(), allowLoad, created });
  const one = async (model: HostedModel): Promise<Model> => hostedModel(model, await listModels(), created);
  const requireKey = async (): Promise<void> => {
    if (!hasKey) throw new DeskhandError("forbidden", "Models are loaded and unloaded only by those who have the server's key, and it has none. Start it with --api-key.");
  };

  app.get("/v1/models", { config: { docs: listDocs } }, async (): Promise<ModelList> => ({ object: "list", data: await list() }));

  app.get<{ Params: { "*": string } }>("/v1/models/*", { config: { docs: modelDocs } }, async (request): Promise<Model> => {
    const id = request.params["*"];
    const model = (await list()).find((entry) => entry.id === id || entry.aliases.includes(id));
    if (!model) throw new DeskhandError("model_not_found", `This server knows no model ${JSON.stringify(id)}. GET /v1/models lists what is there.`, { param: "model" });
    return model;
  });

  app.post("/v1/models/load", { schema: { body: ModelName }, config: { docs: loadDocs }, onRequest: requireKey }, async ({ body }, reply): Promise<Model> => {
    using flight = inFlight.track(reply.raw);
    try {
      return await one(await models.load(body.model, flight.signal));
    } catch (error) {
      throw causeOf(error, flight.signal);
    }
  });

  app.post("/v1/models/unload", { schema: { body: ModelName }, config: { docs: unloadDocs }, onRequest: requireKey }, async ({ body }): Promise<Model> => one(await models.unload(body.model)));
}
