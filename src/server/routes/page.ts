import type { FastifyInstance } from "fastify";
import { DeskhandError } from "../../core/errors.js";
import { readPageFiles, type PageFiles, type PageSource } from "../page-files.js";

/**
 * What a page may do: run its own modules, ask its own server, show pictures that are in it. What a model writes is never parsed as HTML
 * (trusted types), reaches no other host, and no other site can frame the page.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "media-src 'self' blob:",
  "connect-src 'self'",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

const HEADERS = {
  "content-security-policy": POLICY,
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};

const OPEN = { config: { isOpen: true } };
const A_YEAR_S = 365 * 24 * 3600;

export interface PageOptions {
  /** What of the machine the page may use, as `Permissions-Policy` has it. */
  permissions: string;
}

/** `GET /`: a page, and its files under an address that changes with them. Open to everyone: the key is for what the page asks. */
export function registerPage(app: FastifyInstance, source: () => PageSource, { permissions }: PageOptions): void {
  let read: PageFiles | undefined;
  const page = () => (read ??= readPageFiles(source()));
  const headers = { ...HEADERS, "permissions-policy": permissions };

  app.get("/", OPEN, (request, reply) => {
    const { html, version } = page();
    const etag = `"${version}"`;
    reply.headers(headers).header("cache-control", "no-cache").header("etag", etag);
    if (request.headers["if-none-match"] === etag) return reply.code(304).send();
    return reply.type("text/html; charset=utf-8").send(html);
  });

  app.get<{ Params: { version: string; "*": string } }>("/page/:version/*", OPEN, (request, reply) => {
    const { version, "*": name } = request.params;
    const file = version === page().version ? page().files.get(name) : undefined;
    if (!file) throw new DeskhandError("not_found", "There is no such file here; the page may be newer than this address. Load it again.");
    return reply.headers(headers).header("cache-control", `public, max-age=${A_YEAR_S}, immutable`).type(file.type).send(file.body);
  });
}
