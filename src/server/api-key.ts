import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { FastifyInstance } from "fastify";
import { DeskhandError } from "../core/errors.js";

/** How clients send the key, in the words of OpenAPI: OpenAI's clients the first way, Anthropic's the second. */
export const SECURITY_SCHEMES = {
  bearer: { type: "http", scheme: "bearer" },
  apiKey: { type: "apiKey", in: "header", name: "x-api-key" },
};

/** Lets only requests with the key reach the routes, except those that are open to everyone (`isOpen`). */
export function requireApiKey(app: FastifyInstance, apiKey: string): void {
  const expected = digest(apiKey);
  app.addHook("onRequest", async ({ headers, routeOptions }) => {
    if (routeOptions.config.isOpen) return;
    const given = keyOf(headers);
    if (given === undefined) {
      throw new DeskhandError("unauthorized", 'This server has a key but the request brings none. Send it as "Authorization: Bearer KEY" or "x-api-key: KEY".');
    }
    if (!timingSafeEqual(digest(given), expected)) throw new DeskhandError("unauthorized", "The request's key is not this server's. Send the one the server was started with.");
  });
}

function keyOf(headers: IncomingHttpHeaders): string | undefined {
  const bearer = /^Bearer\s+(.+)$/i.exec(headers.authorization ?? "")?.[1];
  const header = headers["x-api-key"];
  return bearer ?? (typeof header === "string" ? header : undefined);
}

/** Of one length whatever the key, so that comparing takes the same time for each. */
function digest(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}
