import type { IncomingMessage, ServerResponse } from "node:http";
import type { FastifyBaseLogger, FastifyInstance, FastifySchemaCompiler, FastifyTypeProvider, RawServerDefault } from "fastify";
import { z } from "zod";
import { parseRequest } from "../schemas/parse.js";

/** Gives a handler the type of what its route's zod schema lets through. */
interface ZodTypes extends FastifyTypeProvider {
  validator: this["schema"] extends z.ZodType ? z.output<this["schema"]> : unknown;
}

/** An application whose routes are declared with zod schemas: one schema checks requests, types them and describes them at `/openapi.json`. */
export type Routes = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, ZodTypes>;

/** Checks requests with the zod schemas of their routes; a refusal is a `DeskhandError` that names the field. */
export const zodValidator: FastifySchemaCompiler<unknown> = ({ schema }) => {
  if (!(schema instanceof z.ZodType)) throw new TypeError("Expected a zod schema in the route's `schema`.");
  return (value: unknown) => {
    try {
      return { value: parseRequest(schema, value) };
    } catch (error) {
      return { error: error as Error };
    }
  };
};
