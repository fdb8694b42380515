import type { EngineHost } from "../engine-host.js";
import type { GenerationQueue } from "../generation-queue.js";
import type { Routes } from "../openapi/zod-types.js";
import { Health } from "../schemas/health.js";

/** `GET /health`: the listener lives, whatever the engine does. `GET /ready`: 200 only when a request would be answered. */
export function registerHealth(app: Routes, deps: { host: EngineHost; queue: GenerationQueue }): void {
  const { host, queue } = deps;
  const report = (): Health => ({
    status: host.state === "ready" ? "ok" : host.state,
    model: host.info?.id ?? null,
    progress: host.progress ?? null,
    requests: queue.places,
  });
  const tag = "Server";
  app.get("/health", { config: { isOpen: true, docs: { operationId: "getHealth", summary: "Whether the server lives, and what its model does", tag, answer: Health } } }, report);
  app.get(
    "/ready",
    {
      config: {
        isOpen: true,
        docs: { operationId: "getReadiness", summary: "Whether a request would be answered now", tag, answer: Health, otherAnswers: { 503: { description: "It would not.", schema: Health } } },
      },
    },
    (_request, reply) => reply.code(host.state === "ready" ? 200 : 503).send(report()),
  );
}
