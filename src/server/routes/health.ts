import type { HostedModel } from "../hosted-model.js";
import type { ModelPool } from "../model-pool.js";
import type { Routes } from "../openapi/zod-types.js";
import { Health, ModelHealth } from "../schemas/health.js";

/** `GET /health`: the listener lives, whatever the engines do. `GET /ready`: 200 only when a request would be answered; of one model, only while it is loaded. */
export function registerHealth(app: Routes, { models }: { models: ModelPool }): void {
  const ofModel = (model: HostedModel): ModelHealth => ({
    id: model.id,
    state: model.state,
    progress: model.progress ?? null,
    requests: model.queue.places,
    pinned: model.isPinned,
  });
  const report = (): Health => ({
    status: statusOf(models),
    model: models.defaultModel.info?.id ?? null,
    progress: models.defaultModel.progress ?? null,
    requests: models.places,
    models: models.models.map(ofModel),
  });
  const tag = "Server";
  app.get("/health", { config: { isOpen: true, isProbe: true, docs: { operationId: "getHealth", summary: "Whether the server lives, and what its models do", tag, answer: Health } } }, report);
  app.get(
    "/ready",
    {
      config: {
        isOpen: true, isProbe: true,
        docs: { operationId: "getReadiness", summary: "Whether a request would be answered now", tag, answer: Health, otherAnswers: { 503: { description: "It would not.", schema: Health } } },
      },
    },
    (_request, reply) => reply.code(models.isReady ? 200 : 503).send(report()),
  );
  app.get<{ Params: { "*": string } }>(
    "/ready/*",
    {
      config: {
        isOpen: true, isProbe: true,
        docs: {
          operationId: "getModelReadiness",
          summary: "Whether one model is loaded",
          tag,
          answer: ModelHealth,
          params: { id: "The model's id or another of its names." },
          otherAnswers: { 503: { description: "It is not.", schema: ModelHealth } },
          errors: [404],
        },
      },
    },
    (request, reply) => {
      const model = models.known(request.params["*"]);
      return reply.code(model.state === "ready" ? 200 : 503).send(ofModel(model));
    },
  );
}

function statusOf({ isReady, isStopped, defaultModel, models }: ModelPool): Health["status"] {
  if (isStopped) return "stopped";
  if (isReady) return "ok";
  // Of those that have to be there, the one that is not.
  const { state } = models.find((model) => (model === defaultModel || model.isPinned) && model.state !== "ready") ?? defaultModel;
  return state === "ready" ? "ok" : state;
}
