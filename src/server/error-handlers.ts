import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from "fastify";
import { httpError, toHttpError, type HttpError } from "./errors.js";

const METHODS: readonly HTTPMethods[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** Answers with the one error form and logs what is the server's own fault: unavailable for now (503) is none. */
export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const answer = toHttpError(error, request.id);
  reply.header("x-request-id", request.id);
  if (answer.status >= 500 && answer.status !== 503) request.log.error({ err: error }, "a request failed");
  send(reply, answer);
}

/** Unknown paths answer 404; call `watchMethods` for 405 on known ones. */
export function handleNotFound(request: FastifyRequest, reply: FastifyReply): void {
  send(reply, httpError(404, "not_found", `There is no ${request.method} ${request.url.split("?")[0]} here.`));
}

/** Watches routes being added; the function it returns adds, for each path, a 405 with `Allow` for the methods nobody handles. */
export function watchMethods(app: FastifyInstance): () => void {
  const allowed = new Map<string, HTTPMethods[]>();
  app.addHook("onRoute", ({ url, method }) => {
    allowed.set(url, [...(allowed.get(url) ?? []), method].flat());
  });
  return () => {
    for (const [url, methods] of [...allowed]) {
      app.route({
        url,
        method: METHODS.filter((method) => !methods.includes(method)),
        handler: (request, reply) => {
          reply.header("allow", methods.join(", "));
          send(reply, httpError(405, "method_not_allowed", `Expected ${methods.join(" or ")} but received ${request.method}.`));
        },
      });
    }
  };
}

/** Answers what is not even HTTP, before any request exists. */
export function handleClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = error.code === "HPE_HEADER_OVERFLOW" ? 431 : error.code === "ERR_HTTP_REQUEST_TIMEOUT" ? 408 : 400;
  const body = JSON.stringify(httpError(status, "bad_request", `The request could not be read as HTTP: ${STATUS_CODES[status]}.`).body);
  const head = ["Content-Type: application/json", `Content-Length: ${Buffer.byteLength(body)}`, "Connection: close"];
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head.join("\r\n")}\r\n\r\n${body}`);
}

function send(reply: FastifyReply, { status, body }: HttpError): void {
  reply.code(status).send(body);
}
