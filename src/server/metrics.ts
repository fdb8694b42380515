import { monitorEventLoopDelay } from "node:perf_hooks";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { isDeskhandError } from "../core/errors.js";
import type { InferenceEvent } from "../engine/inference.js";
import type { ModelPool } from "./model-pool.js";

const REQUEST_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];
const INTER_TOKEN_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

export interface AnsweredRequest {
  /** The route's pattern, not the path that was asked for: paths are without end. */
  route: string;
  status: number;
  /** The id of the model that answered. */
  model: string;
  seconds: number;
}

/** What `GET /metrics` tells, in the words of Prometheus. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #delay = monitorEventLoopDelay({ resolution: 10 });
  readonly #requests = this.#counter("requests_total", "Requests answered", ["route", "status", "model"]);
  readonly #seconds = this.#histogram("request_seconds", "From a request to the end of its answer", ["route"], REQUEST_S);
  readonly #generations = this.#counter("generations_total", "Generations, by how they ended: finished, failed or cancelled", ["model", "outcome"]);
  readonly #tokens = this.#counter("tokens_total", "Tokens: prompt, cached (those of the prompt that were not computed anew) and completion", ["model", "kind"]);
  readonly #firstToken = this.#histogram("time_to_first_token_seconds", "From a request to its first token, waiting included", ["model"], REQUEST_S);
  readonly #interToken = this.#histogram("inter_token_seconds", "From one piece of text to the next", ["model"], INTER_TOKEN_S);

  readonly #queue = this.#gauge("queue_requests", "Requests that are being answered or wait", ["model"]);
  readonly #loaded = this.#gauge("model_loaded", "1 for models in memory", ["model"]);
  readonly #memory = this.#gauge("memory_bytes", "Memory of the server's process and of each engine's: resident (rss), live tensors (active), kept for reuse (cache), what the engine keeps to (allowed)", ["process", "model", "kind"]);
  readonly #tensors = this.#gauge("live_tensors", "Tensors of each engine's process", ["model"]);
  readonly #late = this.#gauge("event_loop_delay_seconds", "How late the server's process ran since it was last asked", ["quantile"]);
  readonly #models: ModelPool;

  constructor(models: ModelPool) {
    this.#models = models;
    this.#delay.enable();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  async text(): Promise<string> {
    await this.#look();
    return this.#registry.metrics();
  }

  answered({ route, status, model, seconds }: AnsweredRequest): void {
    this.#requests.inc({ route, status: String(status), model });
    this.#seconds.observe({ route }, seconds);
  }

  /** The events of a generation, counted as they pass. @param waitedS since the request came. */
  async *generation(model: string, waitedS: number, events: AsyncIterable<InferenceEvent>): AsyncGenerator<InferenceEvent, void> {
    const began = performance.now();
    let last: number | undefined;
    // Whoever leaves early reaches the last block alone.
    let outcome = "cancelled";
    try {
      for await (const event of events) {
        const now = performance.now();
        if (last === undefined) this.#firstToken.observe({ model }, waitedS + (now - began) / 1000);
        else if (event.type !== "finish") this.#interToken.observe({ model }, (now - last) / 1000);
        last = now;
        if (event.type === "finish") {
          const { promptTokens, cachedTokens, completionTokens } = event.usage;
          this.#tokens.inc({ model, kind: "prompt" }, promptTokens);
          this.#tokens.inc({ model, kind: "cached" }, cachedTokens);
          this.#tokens.inc({ model, kind: "completion" }, completionTokens);
        }
        yield event;
      }
      outcome = "finished";
    } catch (error) {
      outcome = isDeskhandError(error, "cancelled") ? "cancelled" : "failed";
      throw error;
    } finally {
      this.#generations.inc({ model, outcome });
    }
  }

  close(): void {
    this.#delay.disable();
  }

  /** What is so now. */
  async #look(): Promise<void> {
    const { models } = this.#models;
    const stats = await Promise.all(models.map((model) => model.stats()));
    for (const gauge of [this.#memory, this.#tensors]) gauge.reset();
    this.#memory.set({ process: "server", model: "", kind: "rss" }, process.memoryUsage.rss());
    for (const [i, { id: model, state, queue, allowedBytes }] of models.entries()) {
      this.#queue.set({ model }, queue.places);
      this.#loaded.set({ model }, state === "ready" ? 1 : 0);
      const cost = stats[i];
      if (cost === undefined) continue;
      for (const [kind, bytes] of Object.entries({ rss: cost.rssBytes, active: cost.activeBytes, cache: cost.cacheBytes, allowed: allowedBytes })) this.#memory.set({ process: "engine", model, kind }, bytes);
      this.#tensors.set({ model }, cost.liveTensors);
    }
    for (const quantile of [50, 99]) this.#late.set({ quantile: String(quantile / 100) }, this.#delay.percentile(quantile) / 1e9);
    this.#delay.reset();
  }

  #counter(name: string, help: string, labelNames: string[]): Counter {
    return new Counter({ name: `deskhand_${name}`, help, labelNames, registers: [this.#registry] });
  }

  #histogram(name: string, help: string, labelNames: string[], buckets: number[]): Histogram {
    return new Histogram({ name: `deskhand_${name}`, help, labelNames, buckets, registers: [this.#registry] });
  }

  #gauge(name: string, help: string, labelNames: string[]): Gauge {
    return new Gauge({ name: `deskhand_${name}`, help, labelNames, registers: [this.#registry] });
  }
}
