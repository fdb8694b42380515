import { isIP, type AddressInfo } from "node:net";
import { DeskhandError, isDeskhandError, messageOf, throwIfAborted } from "../core/errors.js";
import { createLogger } from "../core/log.js";
import type { OnProgress } from "../core/progress.js";
import type { EngineState } from "../engine/inference.js";
import { buildApp, type App } from "./app.js";
import { DEFAULT_HOST, DEFAULT_PORT } from "./defaults.js";
import { listModels, localModelSpec } from "./engine-source.js";
import { DEFAULT_LIMITS, type ServerLimits } from "./limits.js";
import { ModelPool } from "./model-pool.js";
import { servedModels, type ServedModelsOptions } from "./served-models.js";

export interface ServeOptions extends ServedModelsOptions {
  /** Requests may also name every other model that is on this machine already. */
  allowLoad?: boolean;
  /** What requests have to show, as `Authorization: Bearer …` or `x-api-key`; models are loaded and unloaded by request only where there is one. */
  apiKey?: string;
  host?: string;
  /** 0 picks a free port. */
  port?: number;
  limits?: Partial<ServerLimits>;
  /** Web pages of these origins may ask, e.g. `https://app.example`; `*` is every one, and needs a key. */
  corsOrigins?: readonly string[];
  /** Names beside localhost that a server for this machine alone answers to, e.g. one that a proxy passes on. */
  allowHosts?: readonly string[];
  /** Log a line for each request, without what was said. */
  logRequests?: boolean;
  /** Fetch pictures from private, loopback and link-local addresses too. */
  allowPrivateUrls?: boolean;
  /** Reports of the model's loading. */
  onProgress?: OnProgress;
  /** Ends the start, or the server once it runs, as `close` does. */
  signal?: AbortSignal;
}

export interface RunningServer extends AsyncDisposable {
  /** Where it answers, e.g. `http://127.0.0.1:8000`; an OpenAI client's base URL is this and `/v1`. */
  url: string;
  /** The default model's id, as answers and `GET /v1/models` give it. */
  modelId: string;
  /** Stops listening, lets running answers finish for a moment, cancels the rest, and frees the models. Safe to call twice. */
  close(): Promise<void>;
}

const STATE_CHANGES: Record<EngineState, string> = {
  loading: "an engine's process was lost and is started again",
  ready: "an engine's process is back",
  failed: "an engine's process was lost and does not come back: the next request for its model tries once more",
};

/**
 * Serves models over HTTP. Listens first, so that a taken port shows at once and `/health` answers while the model loads; resolves
 * when the default model and the pinned ones are loaded. Throws `port_in_use`, `invalid_argument` for an address it cannot listen on, `cancelled`, or what loading throws.
 */
export async function serve(options: ServeOptions = {}): Promise<RunningServer> {
  const { host = DEFAULT_HOST, port = DEFAULT_PORT, signal } = options;
  throwIfAborted(signal);
  if (options.apiKey === "") throw new DeskhandError("invalid_argument", "Expected a key that is not empty. Leave apiKey out for a server without one.", { param: "apiKey" });
  if (options.corsOrigins?.includes("*") && options.apiKey === undefined) {
    throw new DeskhandError("invalid_argument", "Expected a key where web pages of every origin may ask. Add --api-key, or name the origins.", { param: "corsOrigins" });
  }
  const logger = createLogger("server", options.logRequests ? (process.env["DESKHAND_LOG"] ?? "info") : undefined);
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const models = new ModelPool({ models: await servedModels(options), findMore: options.allowLoad ? localModelSpec : undefined, limits });
  const isAllowedAddress = options.allowPrivateUrls ? () => true : undefined;
  const { allowLoad, apiKey, corsOrigins, logRequests } = options;
  const hosts = isLoopback(host) ? (options.allowHosts ?? []) : undefined;
  const app = buildApp({ models, listModels, allowLoad, apiKey, corsOrigins, hosts, logRequests, limits, isAllowedAddress, logger });
  let closing: Promise<void> | undefined;
  const close = () => (closing ??= closeAll(app, models));
  const onAbort = () => void close().catch((error: unknown) => logger.error({ err: error }, "closing failed"));
  try {
    const url = await listen(app, host, port);
    if (!isLoopback(host) && options.apiKey === undefined) logger.warn({ host }, "listening beyond this machine without a key: anyone who reaches this address can use the models");
    await models.start({
      signal,
      onProgress: options.onProgress,
      onState: ({ id }, state) => logger[state === "ready" ? "info" : "error"]({ model: id }, STATE_CHANGES[state]),
      onChange: ({ id }, what, error) => logger[what === "failed" ? "error" : "info"]({ model: id, err: error }, what),
    });
    signal?.addEventListener("abort", onAbort, { once: true });
    return {
      url,
      modelId: models.defaultModel.id,
      close: () => {
        signal?.removeEventListener("abort", onAbort);
        return close();
      },
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function closeAll({ close }: App, models: ModelPool): Promise<void> {
  try {
    await close();
  } finally {
    await models.stop();
  }
}

async function listen({ app }: App, host: string, port: number): Promise<string> {
  try {
    await app.listen({ host, port });
  } catch (cause) {
    throw listenError(cause, host, port);
  }
  const { port: chosen } = app.server.address() as AddressInfo;
  return `http://${reachable(host)}:${chosen}`;
}

function listenError(cause: unknown, host: string, port: number): DeskhandError {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (code === "EADDRINUSE") {
    return new DeskhandError("port_in_use", `Port ${port} on ${host} is in use. Stop the program that listens there, or choose another port (0 picks a free one).`, { cause });
  }
  if (isDeskhandError(cause)) return cause;
  return new DeskhandError("invalid_argument", `Expected an address to listen on but ${host} port ${port} cannot be used: ${messageOf(cause)}.`, { cause });
}

/** The host to write into a URL: a wildcard address is no address to connect to. */
function reachable(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return isIP(host) === 6 ? `[${host}]` : host;
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}
