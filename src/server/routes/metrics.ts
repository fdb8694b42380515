import type { Metrics } from "../metrics.js";
import type { Routes } from "../openapi/zod-types.js";

const docs = {
  operationId: "getMetrics",
  summary: "What the server has done and what it costs, for Prometheus",
  tag: "Server",
  answer: { contentType: "text/plain", description: "Prometheus' text format." },
};

/** `GET /metrics` */
export function registerMetrics(app: Routes, metrics: Metrics): void {
  app.get("/metrics", { config: { docs } }, async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()));
}
