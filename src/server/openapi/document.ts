import type { RouteOptions } from "fastify";
import { z } from "zod";
import { errorFormOf } from "../error-forms.js";
import { SECURITY_SCHEMES } from "../api-key.js";
import type { RouteDocs } from "./route-docs.js";

export interface DocumentedRoute {
  url: string;
  method: string;
  body: z.ZodType | undefined;
  docs: RouteDocs;
  isOpen: boolean;
}

type Json = Record<string, unknown>;

/** What each status of a refusal means. */
const REFUSALS: Record<number, string> = {
  400: "The request cannot be read or asks for something impossible; `param` names the field.",
  401: "The key is missing or wrong.",
  403: "It is not allowed here; the message says what would be.",
  404: "There is no such model, response or path.",
  409: "It is not in a state in which this can be done.",
  413: "The request is larger than the server takes.",
  415: "The body is of another content type.",
  422: "The model cannot be loaded.",
  429: "Too many requests are waiting; `Retry-After` says when to try again.",
  500: "The server failed; its log says why.",
  503: "No model is ready to answer; `Retry-After` says when to try again.",
  504: "It took too long.",
};
const OF_ALL_ROUTES = [500];
const OF_ROUTES_WITH_KEY = [401];
const OF_ROUTES_WITH_PARAMS = [400];
const OF_ROUTES_WITH_BODY = [400, 404, 413, 415, 429, 503, 504];
const WITH_RETRY_AFTER = [429, 503];

/** The routes that `RouteDocs` describe, as Fastify tells of them. */
export function documentedRoutes(route: RouteOptions): DocumentedRoute[] {
  const { url, method, schema, config } = route;
  const docs = config?.docs;
  if (docs === undefined) return [];
  // HEAD comes with every GET.
  const methods = [method].flat().filter((name) => name !== "HEAD");
  return methods.map((name) => ({ url, method: name.toLowerCase(), body: schema?.body as z.ZodType | undefined, docs, isOpen: config?.isOpen === true }));
}

/** The OpenAPI 3.1 description of the server, made of the very schemas that check its requests. */
export function openApiDocument(routes: readonly DocumentedRoute[], { version }: { version: string }): Json {
  const schemas = new SchemaNames();
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const path = route.url.replace(/\*$/, "{id}").replace(/:(\w+)/g, "{$1}");
    paths[path] = { ...paths[path], [route.method]: operation(route, path, schemas) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Deskhand",
      version,
      description: "A local model behind the interfaces that clients of OpenAI and Anthropic speak. Optional fields take null for absent. Fields that are not named here are ignored.",
    },
    servers: [{ url: "/" }],
    tags: [...new Set(routes.map(({ docs }) => docs.tag))].map((name) => ({ name })),
    paths,
    components: { schemas: schemas.definitions(), securitySchemes: SECURITY_SCHEMES },
    // A server without a key takes requests without one.
    security: [...Object.keys(SECURITY_SCHEMES).map((name) => ({ [name]: [] })), {}],
  };
}

function operation({ url, body, docs, isOpen }: DocumentedRoute, path: string, schemas: SchemaNames): Json {
  const params = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => ({
    name,
    in: "path",
    required: true,
    description: docs.params?.[name],
    schema: { type: "string" },
  }));
  return {
    operationId: docs.operationId,
    summary: docs.summary,
    ...(docs.description && { description: docs.description }),
    tags: [docs.tag],
    ...(isOpen && { security: [] }),
    ...(params.length > 0 && { parameters: params }),
    ...(body && { requestBody: { required: true, content: { "application/json": { schema: schemas.reference(body, "input") } } } }),
    ...(docs.form && { requestBody: { required: true, content: { "multipart/form-data": { schema: schemas.reference(docs.form, "input") } } } }),
    responses: { 200: { description: "The answer.", content: contents(docs, schemas) }, ...otherAnswers(docs, schemas), ...refusals(url, { docs, isOpen, hasBody: body !== undefined || docs.form !== undefined, hasParams: params.length > 0 }, schemas) },
  };
}

function contents({ answer, otherTypes = [], stream }: RouteDocs, schemas: SchemaNames): Json {
  const whole =
    answer instanceof z.ZodType
      ? { "application/json": { schema: schemas.reference(answer, "output") } }
      : { [answer.contentType]: { schema: { type: "string", description: answer.description } } };
  const others = Object.fromEntries(otherTypes.map((type) => [type, { schema: { type: "string" } }]));
  if (stream === undefined) return { ...whole, ...others };
  const data = { type: "string", contentMediaType: "application/json", contentSchema: schemas.reference(stream.event, "output") };
  // OpenAPI before 3.2 has the schema of a stream describe each of its events.
  const event = { type: "object", description: stream.description, properties: { event: { type: "string" }, data }, required: ["data"] };
  return { ...whole, ...others, "text/event-stream": { schema: event } };
}

function otherAnswers({ otherAnswers = {} }: RouteDocs, schemas: SchemaNames): Json {
  return Object.fromEntries(
    Object.entries(otherAnswers).map(([status, { description, schema }]) => [status, { description, content: { "application/json": { schema: schemas.reference(schema, "output") } } }]),
  );
}

function refusals(url: string, { docs, isOpen, hasBody, hasParams }: { docs: RouteDocs; isOpen: boolean; hasBody: boolean; hasParams: boolean }, schemas: SchemaNames): Json {
  const statuses = new Set([...OF_ALL_ROUTES, ...(isOpen ? [] : OF_ROUTES_WITH_KEY), ...(hasBody ? OF_ROUTES_WITH_BODY : []), ...(hasParams ? OF_ROUTES_WITH_PARAMS : []), ...(docs.errors ?? [])]);
  for (const status of Object.keys(docs.otherAnswers ?? {})) statuses.delete(Number(status));
  const schema = schemas.reference(errorFormOf(url).schema, "output");
  const headers = { "Retry-After": { description: "Seconds.", schema: { type: "integer" } } };
  return Object.fromEntries(
    [...statuses].map((status) => [status, { description: REFUSALS[status] ?? "", ...(WITH_RETRY_AFTER.includes(status) && { headers }), content: { "application/json": { schema } } }]),
  );
}

/** Schemas under the names of their `meta({ id })`, as they come in and as they go out. */
class SchemaNames {
  readonly #registries = { input: z.registry<{ id: string }>(), output: z.registry<{ id: string }>() };

  reference(schema: z.ZodType, io: "input" | "output"): Json {
    const id = schema.meta()?.id;
    if (id === undefined) throw new TypeError("Expected every schema that a route names to have an id: schema.meta({ id }).");
    const registry = this.#registries[io];
    if (!registry.has(schema)) registry.add(schema, { id });
    return { $ref: referenceTo(id) };
  }

  definitions(): Json {
    const all: [string, Json][] = [];
    for (const io of ["input", "output"] as const) {
      const { schemas } = z.toJSONSchema(this.#registries[io], { io, uri: referenceTo });
      // Where a definition stands says what it is called and which draft it is written in.
      for (const [id, { $schema: _schema, $id: _id, ...definition }] of Object.entries(schemas)) all.push([id, definition]);
    }
    return Object.fromEntries(all);
  }
}

function referenceTo(id: string): string {
  return `#/components/schemas/${id}`;
}
