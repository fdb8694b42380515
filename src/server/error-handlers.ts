import { STATUS_CODES, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from "fastify";
import { errorFormOf, openAiError } from "./error-forms.js";
import { toHttpError, type HttpError } from "./errors.js";

const METHODS: readonly HTTPMethods[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "TRACE"];

/** Answers in the error form of the path and logs what is the server's own fault: unavailable for now (503) or at all (501) is none. */
export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const answer = toHttpError(error, request.id);
  reply.header("x-request-id", request.id);
  if (answer.status >= 500 && answer.status !== 501 && answer.status !== 503) request.log.error({ err: error }, "a request failed");
  send(request, reply, answer);
}

/** Unknown paths answer 404; call `watchMethods` for 405 on known ones. */
export function handleNotFound(request: FastifyRequest, reply: FastifyReply): void {
  send(request, reply, { status: 404, code: "not_found", message: `There is no ${request.method} ${request.url.split("?")[0]} here.` });
}

/** Watches routes being added; the function it returns adds, for each path, a 405 with `Allow` for the methods nobody handles. */
export function watchMethods(app: FastifyInstance): () => void {
  const allowed = new Map<string, HTTPMethods[]>();
  app.addHook("onRoute", ({ url, method }) => {
    allowed.set(url, [...(allowed.get(url) ?? []), method].flat());
  });
  return () => {
    for (const [url, methods] of [...allowed]) {
      const refuse = (request: FastifyRequest, reply: FastifyReply): void => {
        reply.header("allow", methods.join(", "));
        send(request, reply, { status: 405, code: "method_not_allowed", message: `Expected ${methods.join(" or ")} but received ${request.method}.` });
      };
      // Before the body is looked at: no body makes the method right.
      app.route({ url, method: METHODS.filter((method) => !methods.includes(method)), onRequest: (request, reply) => refuse(request, reply), handler: refuse });
    }
  };
}

/** Answers a request that wants more of the server than to go on (`Expect: 100-continue`). */
export function refuseExpectation(_request: IncomingMessage, response: ServerResponse): void {
  const body = JSON.stringify(openAiError({ status: 417, code: "bad_request", message: "Expected no Expect header but 100-continue. Leave it out." }));
  response.writeHead(417, { "content-type": "application/json", "content-length": Buffer.byteLength(body), connection: "close" }).end(body);
}

/** Answers what is not even HTTP, before any request exists. */
export function handleClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = error.code === "HPE_HEADER_OVERFLOW" ? 431 : error.code === "ERR_HTTP_REQUEST_TIMEOUT" ? 408 : 400;
  const body = JSON.stringify(openAiError({ status, code: "bad_request", message: `The request could not be read as HTTP: ${STATUS_CODES[status]}.` }));
  const head = ["Content-Type: application/json", `Content-Length: ${Buffer.byteLength(body)}`, "Connection: close"];
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head.join("\r\n")}\r\n\r\n${body}`);
}

function send(request: FastifyRequest, reply: FastifyReply, error: HttpError): void {
  reply.code(error.status).send(errorFormOf(request.url).body(error, request.id));
}
