import type { FastifyInstance } from "fastify";
import type { EngineHost } from "../engine-host.js";
import type { GenerationQueue } from "../generation-queue.js";

/** `GET /health`: the listener lives, whatever the engine does. `GET /ready`: 200 only when a request would be answered. */
export function registerHealth(app: FastifyInstance, deps: { host: EngineHost; queue: GenerationQueue }): void {
  const { host, queue } = deps;
  const report = () => ({
    status: host.state === "ready" ? "ok" : host.state,
    model: host.info?.id ?? null,
    progress: host.progress ?? null,
    requests: queue.places,
  });
  app.get("/health", report);
  app.get("/ready", (_request, reply) => reply.code(host.state === "ready" ? 200 : 503).send(report()));
}
