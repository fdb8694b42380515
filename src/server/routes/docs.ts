import { readFileSync } from "node:fs";
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { Routes } from "../openapi/zod-types.js";
import { documentedRoutes, openApiDocument, type DocumentedRoute } from "../openapi/document.js";

/** Only what this server sends itself: the page loads nothing from elsewhere. */
const CONTENT_SECURITY_POLICY = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'";

const Package = z.object({ version: z.string() });

/** `GET /docs`, a page that shows what every route added from now on does. Returns the description, made when it is first asked for. */
export function registerDocs(app: FastifyInstance): () => object {
  const routes: DocumentedRoute[] = [];
  let made: object | undefined;
  const document = (): object => (made ??= openApiDocument(routes, { version: packageVersion() }));
  app.addHook("onRoute", (route) => {
    // The page has nothing that is worth a key.
    if (/^\/docs(\/|$)/.test(route.url)) route.config = { ...route.config, isOpen: true };
    routes.push(...documentedRoutes(route));
  });
  // The plugin wants a document before there is one, and then asks for the real one.
  app.register(swagger, { mode: "static", specification: { document: {} as never } });
  app.register(swaggerUi, { routePrefix: "/docs", staticCSP: CONTENT_SECURITY_POLICY, transformSpecification: document, transformSpecificationClone: false });
  return document;
}

/** `GET /openapi.json`. */
export function registerOpenApi(app: Routes, document: () => object): void {
  app.get("/openapi.json", { config: { isOpen: true } }, () => document());
}

function packageVersion(): string {
  return Package.parse(JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8"))).version;
}
