import { randomBytes } from "node:crypto";
import type { AddressInfo } from "node:net";
import { fastify, LogController, type FastifyBaseLogger, type FastifyInstance } from "fastify";
import { DeskhandError, messageOf } from "../../core/errors.js";
import { createLogger } from "../../core/log.js";
import { requireApiKey } from "../../server/api-key.js";
import { handleNotFound, sendError } from "../../server/error-handlers.js";
import { isLoopbackHost, isOwnOrigin } from "../../server/origins.js";
import { assetsIn, sharedAssets, type PageSource } from "../../server/page-files.js";
import { registerPage } from "../../server/routes/page.js";
import { OVERLAY_STYLE } from "../recorder/overlay-style.js";
import type { RunListener } from "../run-events.js";
import type { Approver } from "../safety/approver.js";
import { RunController } from "../safety/run-controller.js";
import { LiveApprover } from "./live-approver.js";
import { LiveLog } from "./live-log.js";
import { PRIVATE, registerLive, type LiveParts } from "./live-routes.js";
import { LiveStory } from "./live-story.js";

/** Nobody but this machine gets to see it: a tunnel can lead here from elsewhere. */
const HOST = "127.0.0.1";
const TOKEN_BYTES = 32;
const MAX_BODY_BYTES = 16 * 1024;
const MAX_CONNECTIONS = 64;
/** How long pages may take to read the end of the run. */
const LAST_WORDS_MS = 1000;
/** Of what was heard the page shows the last few sentences. */
const MAX_HEARD = 6;
const MAX_HEARD_CHARACTERS = 500;

// Both src/agent/live and dist/agent/live are three levels below the package.
const MODULES = new URL("../../../dist/agent/live/page/", import.meta.url);
const STATIC = new URL("../../../src/agent/live/page/static/", import.meta.url);

export interface LivePageOptions {
  /** A free one unless given. */
  port?: number;
  /** To share with a terminal or a voice; one of its own unless given. */
  controller?: RunController;
  /** Runs are asked for by voice: the page shows what `onHeard` is told, and lasts from run to run. */
  hears?: boolean;
}

/** A page to follow and steer runs on. Its `approver`, `controller` and `onEvent` are options of an `Agent`. */
export interface LivePage extends AsyncDisposable {
  /** Where it is. Behind the `#` stands what lets a person in: browsers send that to nobody. */
  url: string;
  approver: Approver;
  controller: RunController;
  onEvent: RunListener;
  /** Shows what was heard. */
  onHeard(text: string): void;
  /** Safe to call twice. */
  close(): Promise<void>;
}

/**
 * Serves a page on this machine that shows runs as they go on, and lets whoever has its address pause, step, stop, approve and deny.
 * @throws DeskhandError `port_in_use`, `invalid_argument`.
 */
export async function openLivePage({ port = 0, controller = new RunController(), hears = false }: LivePageOptions = {}): Promise<LivePage> {
  const log = new LiveLog();
  const story = new LiveStory();
  const approver = new LiveApprover((question) => log.add({ type: "asking", question }));
  const token = randomBytes(TOKEN_BYTES).toString("base64url");
  const app = buildLiveApp({ log, story, approver, controller }, token);
  try {
    await app.listen({ host: HOST, port });
  } catch (cause) {
    const taken = (cause as NodeJS.ErrnoException).code === "EADDRINUSE";
    throw new DeskhandError(taken ? "port_in_use" : "invalid_argument", `Expected a free port for the live page but ${port} cannot be used: ${messageOf(cause)}. Choose another, or 0 for any.`, { cause, param: "port" });
  }
  log.add({ type: "mode", ...controller.state });
  const modes = controller.onChange((state) => log.add({ type: "mode", ...state }));
  const said: string[] = [];
  const tellHeard = (ended?: true) => log.add({ type: "heard", said: [...said], ended });
  if (hears) tellHeard();
  let closing: Promise<void> | undefined;
  const close = async () => {
    if (hears) tellHeard(true);
    modes[Symbol.dispose]();
    approver.close();
    log.end();
    const closed = app.close();
    const late = setTimeout(() => app.server.closeAllConnections(), LAST_WORDS_MS);
    app.server.closeIdleConnections();
    await closed;
    clearTimeout(late);
  };
  const closeOnce = () => (closing ??= close());
  return {
    url: `http://${HOST}:${(app.server.address() as AddressInfo).port}/#${token}`,
    approver,
    controller,
    onEvent: (event) => {
      log.add(story.tell(event));
      if (event.type === "reply_ended") log.add({ type: "tokens", tokens: event.tokens });
    },
    onHeard: (text) => {
      said.push(text.slice(0, MAX_HEARD_CHARACTERS));
      if (said.length > MAX_HEARD) said.shift();
      tellHeard();
    },
    close: closeOnce,
    [Symbol.asyncDispose]: closeOnce,
  };
}

function buildLiveApp(parts: LiveParts, token: string): FastifyInstance {
  const logger: FastifyBaseLogger = createLogger("live");
  const app = fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: MAX_BODY_BYTES,
    forceCloseConnections: "idle",
    frameworkErrors: sendError,
  });
  // Only JSON, which pages of elsewhere cannot send without asking.
  app.removeContentTypeParser("text/plain");
  app.server.maxConnections = MAX_CONNECTIONS;
  app.addHook("onRequest", async ({ headers: { host = "", origin } }, reply) => {
    reply.headers(PRIVATE);
    if (!isLoopbackHost(host)) throw new DeskhandError("forbidden", `This page is for this machine alone and does not answer to the name ${JSON.stringify(host.slice(0, 200))}. Ask for ${HOST}.`);
    // Reading counts as well: what it shows is private.
    if (origin !== undefined && !isOwnOrigin(origin, host)) throw new DeskhandError("forbidden", `Web pages of ${origin.slice(0, 200)} may not use this page.`);
  });
  requireApiKey(app, token);
  app.setErrorHandler(sendError);
  app.setNotFoundHandler(handleNotFound);
  registerPage(app, livePageSource, { permissions: "camera=(), microphone=(), geolocation=(), display-capture=()" });
  registerLive(app, parts);
  return app;
}

function livePageSource(): PageSource {
  const modules = assetsIn(MODULES).map(([name, file]): [string, URL] => [`agent/live/page/${name}`, file]);
  return { html: new URL("index.html", STATIC), assets: new Map<string, URL | string>([...sharedAssets(), ...modules, ...assetsIn(STATIC), ["overlay.css", OVERLAY_STYLE]]) };
}
