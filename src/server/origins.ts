import cors from "@fastify/cors";
import type { FastifyInstance } from "fastify";
import { DeskhandError } from "../core/errors.js";

export interface OriginOptions {
  /** Web pages that may ask from another origin, e.g. `https://app.example`; `*` is every one. */
  corsOrigins?: readonly string[];
  /** The names this server is reached by, checked against `Host`; any when left out. */
  hosts?: readonly string[];
}

/** Names and addresses that lead to this machine from itself. */
const LOOPBACK = /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|\[::1\])$/i;
const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * Keeps web pages of elsewhere out: those that ask from another origin, forms among them, which browsers send without asking first, and
 * those that made their own name lead here (DNS rebinding). Programs that are no browsers send no `Origin`.
 * @throws DeskhandError `invalid_argument` for what is no origin.
 */
export function guardOrigins(app: FastifyInstance, { corsOrigins = [], hosts }: OriginOptions): void {
  const origins = corsOrigins.map(checkedOrigin);
  app.addHook("onRequest", async ({ method, headers: { host = "", origin } }) => {
    const name = hostname(host);
    if (hosts !== undefined && !isLoopbackHost(host) && !hosts.some((known) => known.toLowerCase() === name)) {
      throw new DeskhandError("forbidden", `This server listens for this machine alone and does not answer to the name ${JSON.stringify(name)}. Ask for 127.0.0.1 or localhost, or start it with --allow-host.`);
    }
    if (origin === undefined || SAFE.has(method) || origins.includes("*") || origins.includes(origin)) return;
    if (isOwnOrigin(origin, host)) return;
    throw new DeskhandError("forbidden", `Web pages of ${origin.slice(0, 200)} may not use this server. Start it with --cors-origin ${origin.slice(0, 200)} to let them.`);
  });
  if (origins.length === 0) return;
  app.register(cors, {
    origin: origins.includes("*") ? "*" : origins,
    methods: ["GET", "HEAD", "POST", "DELETE"],
    exposedHeaders: ["x-request-id", "retry-after"],
    maxAge: 600,
  });
}

/** Whether a `Host` header leads to this machine, whoever asks. */
export function isLoopbackHost(host: string): boolean {
  return LOOPBACK.test(hostname(host));
}

/** Whether an `Origin` header is that of the server's own page. */
export function isOwnOrigin(origin: string, host: string): boolean {
  return URL.canParse(origin) && new URL(origin).host === host.toLowerCase();
}

/** Of a `Host` header: without the port, small. */
function hostname(host: string): string {
  return host.replace(/:\d*$/, "").replace(/\.$/, "").toLowerCase();
}

function checkedOrigin(text: string): string {
  if (text === "*" || (URL.canParse(text) && new URL(text).origin === text)) return text;
  throw new DeskhandError("invalid_argument", `Expected an origin such as https://app.example:8443, without a path, or * but received "${text}".`, { param: "corsOrigins" });
}
