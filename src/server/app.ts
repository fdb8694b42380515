import { randomUUID } from "node:crypto";
import { fastify, LogController, type FastifyBaseLogger, type FastifyInstance } from "fastify";
import { DeskhandError, isDeskhandError } from "../core/errors.js";
import { createLogger, type Logger } from "../core/log.js";
import type { Answering } from "./answering.js";
import { requireApiKey } from "./api-key.js";
import { handleClientError, handleNotFound, refuseExpectation, sendError, watchMethods } from "./error-handlers.js";
import { InFlight } from "./in-flight.js";
import { refuseDeep } from "./json-depth.js";
import { DEFAULT_LIMITS, type ServerLimits } from "./limits.js";
import type { KnownModel } from "./model-list.js";
import { Metrics } from "./metrics.js";
import type { ModelPool } from "./model-pool.js";
import { zodValidator, type Routes } from "./openapi/zod-types.js";
import { guardOrigins, type OriginOptions } from "./origins.js";
import { chatPage } from "./page-files.js";
import { isPublicAddress, type AddressPolicy } from "./pictures/public-address.js";
import { PictureResolver } from "./pictures/resolver.js";
import { registerTranscriptions } from "./routes/transcriptions.js";
import { registerChatCompletions } from "./routes/chat-completions.js";
import { registerCompletions } from "./routes/completions.js";
import { registerDocs, registerOpenApi } from "./routes/docs.js";
import { registerEmbeddings } from "./routes/embeddings.js";
import { registerHealth } from "./routes/health.js";
import { registerMessages } from "./routes/messages.js";
import { registerMetrics } from "./routes/metrics.js";
import { registerModels } from "./routes/models.js";
import { registerPage } from "./routes/page.js";
import { registerResponses } from "./routes/responses.js";
import { registerSpeech } from "./routes/speech.js";
import { registerTokenize } from "./routes/tokenize.js";

export interface AppOptions extends OriginOptions {
  models: ModelPool;
  /** What `GET /v1/models` lists beside the served models. */
  listModels: () => Promise<KnownModel[]>;
  /** Whether requests may have models of that list loaded. */
  allowLoad?: boolean;
  limits?: Partial<ServerLimits>;
  /** Which addresses pictures are fetched from; the public ones when left out. */
  isAllowedAddress?: AddressPolicy;
  logger?: Logger;
  /** Requests without this key are refused; without it none is asked for. */
  apiKey?: string;
  /** Logs a line for each request: what was asked of which model and how it ended, never what was said. */
  logRequests?: boolean;
}

declare module "fastify" {
  interface FastifyRequest {
    /** The id of the model that answers it, once that is known. */
    servedModel: string;
  }
}

export interface App {
  app: FastifyInstance;
  /** Refuses new requests, gives running ones the grace period, cancels the rest, then closes the listener. Safe to call twice. */
  close: () => Promise<void>;
}

/** A client's own request id is kept when it is short and plain. */
const REQUEST_ID = /^[\w.:-]{1,128}$/;
const UNAVAILABLE_RETRY_AFTER_S = 1;
const HEADERS_TIMEOUT_MS = 20_000;
const CONNECTIONS_CHECK_MS = 5_000;

/** Builds the HTTP application without listening: `start.ts` listens, tests use `app.inject()`. */
export function buildApp(options: AppOptions): App {
  const limits: ServerLimits = { ...DEFAULT_LIMITS, ...options.limits };
  const { models } = options;
  const inFlight = new InFlight(limits);
  const metrics = new Metrics(models);
  const pictures = new PictureResolver(limits, options.isAllowedAddress ?? isPublicAddress);
  const logger: FastifyBaseLogger = options.logger ?? createLogger("server");
  let isClosing = false;

  const app = fastify({
    loggerInstance: logger,
    // One line a request, below, instead of Fastify's two.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: limits.maxBodyBytes,
    requestTimeout: limits.receiveTimeoutMs,
    http: {
      maxHeaderSize: limits.maxHeaderBytes,
      headersTimeout: Math.min(HEADERS_TIMEOUT_MS, limits.receiveTimeoutMs),
      // Node's own refusals have no body: without a name of the host, and below where something is expected of the server.
      requireHostHeader: false,
      connectionsCheckingInterval: Math.min(CONNECTIONS_CHECK_MS, limits.receiveTimeoutMs),
    },
    // Refused by the hook below, so that this error too has the one error form.
    return503OnClosing: false,
    forceCloseConnections: "idle",
    genReqId: ({ headers }) => {
      const given = headers["x-request-id"];
      return typeof given === "string" && REQUEST_ID.test(given) ? given : `req_${randomUUID()}`;
    },
    frameworkErrors: sendError,
    clientErrorHandler: handleClientError,
  });
  // Only JSON: a web page of another origin can send plain text without asking, JSON it cannot.
  app.removeContentTypeParser("text/plain");

  app.addHook("onRequest", async (request, reply) => {
    // Under the names that OpenAI's and Anthropic's clients look for.
    reply.header("x-request-id", request.id).header("request-id", request.id);
    if (request.headers.host === undefined && request.raw.httpVersion === "1.1") throw new DeskhandError("invalid_argument", "Expected a Host header, as HTTP/1.1 has it.");
    if (!isClosing) return;
    reply.header("connection", "close");
    if (request.routeOptions.config.isProbe !== true) throw new DeskhandError("engine_unavailable", "The server is shutting down. Try again when it is back.");
  });
  app.addHook("preValidation", async ({ body }) => refuseDeep(body));
  app.decorateRequest("servedModel", "");
  app.addHook("onResponse", async (request, reply) => {
    // Paths that are no routes are without end, and clients choose them.
    const { method, servedModel: model, routeOptions } = request;
    const { statusCode: status, elapsedTime: tookMs } = reply;
    metrics.answered({ route: `${method} ${routeOptions.url ?? "unknown"}`, status, model, seconds: tookMs / 1000 });
    if (options.logRequests) request.log.info({ method, route: routeOptions.url, status, model, tookMs: Math.round(tookMs) }, "answered");
  });

  app.setErrorHandler((error, request, reply) => {
    const retryAfterS = isDeskhandError(error) ? error.retryAfterS : undefined;
    if (retryAfterS !== undefined || isDeskhandError(error, "engine_unavailable")) reply.header("retry-after", retryAfterS ?? UNAVAILABLE_RETRY_AFTER_S);
    sendError(error, request, reply);
  });
  app.setNotFoundHandler(handleNotFound);

  app.server.maxConnections = limits.maxConnections;
  app.server.on("checkExpectation", refuseExpectation);
  guardOrigins(app, options);
  const { apiKey } = options;
  // After the answers to browsers that ask whether they may ask: those carry no key.
  if (apiKey !== undefined) app.after(() => requireApiKey(app, apiKey));
  app.setValidatorCompiler(zodValidator);
  const answering: Answering = { models, metrics, inFlight, pictures, limits };
  const document = registerDocs(app);
  // After the plugins, whose hooks see routes that come later only.
  app.register(async (plugin) => {
    const routes: Routes = plugin.withTypeProvider();
    const refuseOtherMethods = watchMethods(plugin);
    registerOpenApi(routes, document);
    registerHealth(routes, { models });
    registerMetrics(routes, metrics);
    registerModels(routes, { models, inFlight, listModels: options.listModels, allowLoad: options.allowLoad ?? false, hasKey: options.apiKey !== undefined });
    registerChatCompletions(routes, answering);
    registerPage(plugin, chatPage, { permissions: "camera=(self), microphone=(self), geolocation=(), display-capture=()" });
    registerEmbeddings(routes, answering);
    await registerTranscriptions(routes, answering);
    registerSpeech(routes, answering);
    registerCompletions(routes, answering);
    registerTokenize(routes, answering);
    registerMessages(routes, answering);
    registerResponses(routes, answering);
    refuseOtherMethods();
  });

  let closing: Promise<void> | undefined;
  async function shutDown(): Promise<void> {
    isClosing = true;
    models.refuse();
    // Still listening: whoever comes now is told why there is no answer, and that another try may have one.
    await inFlight.drain(limits.drainTimeoutMs);
    // Resolves when the last connection is gone, and idle keep-alive ones would stay for a minute.
    const closed = app.close();
    app.server.closeAllConnections();
    await closed;
    metrics.close();
    await pictures.close();
  }
  return { app, close: () => (closing ??= shutDown()) };
}
