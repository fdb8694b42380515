import { isIP, type AddressInfo } from "node:net";
import { DeskhandError, isDeskhandError, messageOf, throwIfAborted } from "../core/errors.js";
import { createLogger } from "../core/log.js";
import type { OnProgress } from "../core/progress.js";
import type { Engine, EngineState } from "../engine/inference.js";
import { buildApp, type App } from "./app.js";
import { DEFAULT_HOST, DEFAULT_PORT } from "./defaults.js";
import { aliasesOf, createEngine, listModels } from "./engine-source.js";
import { EngineHost } from "./engine-host.js";
import type { ServerLimits } from "./limits.js";

export interface ServeOptions {
  /** An alias, a folder, or a Hugging Face id; the embedded model when left out. */
  model?: string;
  /** Serves this engine instead of loading `model`, e.g. a scripted one. The server starts it, and stops it on `close`. */
  engine?: Engine;
  /** Tool-call format of the model's answers; the one its chat template teaches when left out. */
  toolFormat?: string;
  host?: string;
  /** 0 picks a free port. */
  port?: number;
  limits?: Partial<ServerLimits>;
  /** Refuse requests without this key, as a bearer token or in `x-api-key`. */
  apiKey?: string;
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
  /** The model's id, as answers and `GET /v1/models` give it. */
  modelId: string;
  /** Stops listening, lets running answers finish for a moment, cancels the rest, and frees the model. Safe to call twice. */
  close(): Promise<void>;
}

const STATE_CHANGES: Record<EngineState, string> = {
  loading: "the engine's process was lost and is started again",
  ready: "the engine's process is back",
  failed: "the engine's process was lost and does not come back: restart the server",
};

/**
 * Serves a model over HTTP. Listens first, so that a taken port shows at once and `/health` answers while the model loads; resolves
 * when the model is loaded. Throws `port_in_use`, `invalid_argument` for an address it cannot listen on, `cancelled`, or what loading throws.
 */
export async function serve(options: ServeOptions = {}): Promise<RunningServer> {
  const { host = DEFAULT_HOST, port = DEFAULT_PORT, signal } = options;
  throwIfAborted(signal);
  const logger = createLogger("server");
  const engine = options.engine ?? createEngine(options.model, { toolFormat: options.toolFormat });
  const engineHost = new EngineHost(engine, { namesOf: (id) => [...(options.model === undefined ? [] : [options.model]), ...aliasesOf(id)] });
  const isAllowedAddress = options.allowPrivateUrls ? () => true : undefined;
  const app = buildApp({ host: engineHost, listModels, limits: options.limits, isAllowedAddress, logger, apiKey: options.apiKey });
  let closing: Promise<void> | undefined;
  const close = () => (closing ??= closeAll(app, engineHost));
  const onAbort = () => void close().catch((error: unknown) => logger.error({ err: error }, "closing failed"));
  try {
    const url = await listen(app, host, port);
    if (!isLoopback(host) && options.apiKey === undefined) logger.warn({ host }, "listening beyond this machine: anyone who reaches this address can use the model");
    await engineHost.start({
      signal,
      onProgress: options.onProgress,
      onState: (state) => logger[state === "ready" ? "info" : "error"](STATE_CHANGES[state]),
    });
    signal?.addEventListener("abort", onAbort, { once: true });
    return {
      url,
      modelId: engine.info.id,
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

async function closeAll({ close }: App, engineHost: EngineHost): Promise<void> {
  try {
    await close();
  } finally {
    await engineHost.stop();
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
