import type { z } from "zod";

/** A streamed answer: what one of its events holds. */
export interface EventStream {
  event: z.ZodType;
  description: string;
}

/** What `/openapi.json` says about a route, beside the schema of its body. */
export interface RouteDocs {
  operationId: string;
  summary: string;
  tag: string;
  description?: string;
  /** What the route answers with: JSON of this schema, or the body of another content type in words. */
  answer: z.ZodType | { contentType: string; description: string };
  /** Of a route that takes a form instead of JSON: its fields. */
  form?: z.ZodType;
  /** Content types that it answers with as well where the request asks for them. */
  otherTypes?: readonly string[];
  stream?: EventStream;
  /** Further answers of success or failure that are not errors in the usual form, e.g. 503 of `/ready`. */
  otherAnswers?: Record<number, { description: string; schema: z.ZodType }>;
  /** Refusals of this route beside those that every route of its kind has. */
  errors?: readonly number[];
  /** What each part of the path means. */
  params?: Record<string, string>;
}

declare module "fastify" {
  interface FastifyContextConfig {
    /** Every route that clients may call has this; the rest (pages, refused methods) is left out of `/openapi.json`. */
    docs?: RouteDocs;
    /** Answers without the key of a server that has one. */
    isOpen?: boolean;
    /** Answers while the server is shutting down. */
    isProbe?: boolean;
  }
}
