import { randomUUID } from "node:crypto";
import type { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { isInitializeRequest } from "@modelcontextprotocol/sdk/types.js";
import { fastify, LogController, type FastifyBaseLogger, type FastifyReply, type FastifyRequest } from "fastify";
import { DeskhandError, messageOf } from "../../core/errors.js";
import { createLogger } from "../../core/log.js";
import { requireApiKey } from "../../server/api-key.js";
import { handleNotFound, sendError } from "../../server/error-handlers.js";
import { guardOrigins } from "../../server/origins.js";
import { createMcpServer, type McpOptions } from "./server.js";

const HOST = "127.0.0.1";
const PATH = "/mcp";
const MAX_BODY_BYTES = 1_000_000;
const MAX_SESSIONS = 16;
const MAX_CONNECTIONS = 64;
/** A session nobody has heard of for so long has been forgotten by its client. */
const SESSION_IDLE_MS = 60 * 60_000;
const RECEIVE_TIMEOUT_MS = 30_000;

export interface HttpOptions extends McpOptions {
  port: number;
  /** Every request has to show it. */
  token: string;
  corsOrigins?: readonly string[];
}

export interface RunningMcp extends AsyncDisposable {
  /** Where clients connect to. */
  url: string;
}

interface Connection {
  transport: StreamableHTTPServerTransport;
  server: Server;
  idle: NodeJS.Timeout | undefined;
}

/** Serves clients of this machine over Streamable HTTP, each connection with a session of its own. */
export async function serveHttp(options: HttpOptions): Promise<RunningMcp> {
  const connections = new Map<string, Connection>();
  const loggerInstance: FastifyBaseLogger = createLogger("mcp");
  const app = fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: RECEIVE_TIMEOUT_MS,
    forceCloseConnections: true,
    frameworkErrors: sendError,
  });
  app.removeContentTypeParser("text/plain");
  app.server.maxConnections = MAX_CONNECTIONS;
  app.setErrorHandler(sendError);
  app.setNotFoundHandler(handleNotFound);
  guardOrigins(app, { corsOrigins: options.corsOrigins, hosts: [] });
  app.after(() => requireApiKey(app, options.token));

  const find = (request: FastifyRequest): Connection | undefined => {
    const id = request.headers["mcp-session-id"];
    const connection = typeof id === "string" ? connections.get(id) : undefined;
    // In MCP a session that is gone is a 404: clients begin another one.
    if (id !== undefined && !connection) throw new DeskhandError("not_found", "Expected a session of this server but the mcp-session-id is none of them. Begin a new one.");
    return connection;
  };
  const keep = (id: string, connection: Connection): void => {
    clearTimeout(connection.idle);
    connection.idle = setTimeout(() => void connection.server.close(), SESSION_IDLE_MS).unref();
    connections.set(id, connection);
  };
  const begin = async (): Promise<Connection> => {
    if (connections.size >= MAX_SESSIONS) throw new DeskhandError("queue_full", `Expected at most ${MAX_SESSIONS} sessions but there are as many already. End one of them.`);
    const server = createMcpServer(options);
    const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: randomUUID, onsessioninitialized: (id) => keep(id, connection) });
    const connection: Connection = { transport, server, idle: undefined };
    await server.connect(transport);
    const { onclose } = transport;
    transport.onclose = () => {
      clearTimeout(connection.idle);
      connections.delete(transport.sessionId ?? "");
      onclose?.();
    };
    return connection;
  };
  const answer = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const found = find(request);
    if (!found && !isInitializeRequest(request.body)) throw new DeskhandError("invalid_argument", "Expected an initialize request, or the mcp-session-id of a session, but received neither.");
    const connection = found ?? (await begin());
    if (found) keep(found.transport.sessionId!, found);
    reply.hijack();
    await connection.transport.handleRequest(request.raw, reply.raw, request.body);
  };
  app.post(PATH, answer);
  app.get(PATH, answer);
  app.delete(PATH, answer);
  try {
    const address = await app.listen({ host: HOST, port: options.port });
    return {
      url: `${address}${PATH}`,
      [Symbol.asyncDispose]: async () => {
        await Promise.allSettled([...connections.values()].map(({ server }) => server.close()));
        await app.close();
      },
    };
  } catch (cause) {
    const isTaken = (cause as NodeJS.ErrnoException).code === "EADDRINUSE";
    throw new DeskhandError(isTaken ? "port_in_use" : "internal", `Expected to listen on ${HOST}:${options.port} but received: ${messageOf(cause)}. Choose another port with --port, or 0 for a free one.`, { cause });
  }
}
