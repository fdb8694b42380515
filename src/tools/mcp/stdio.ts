import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { createMcpServer, type McpOptions } from "./server.js";

/** Serves one client over a pair of streams, until the client closes its side or the signal aborts. */
export async function serveStdio(options: McpOptions, signal: AbortSignal, input: Readable = process.stdin, output: Writable = process.stdout): Promise<void> {
  const server = createMcpServer(options);
  const transport = new StdioServerTransport(input, output);
  // The transport does not notice by itself that its client has gone.
  const gone = Promise.race([once(input, "end"), once(input, "close"), once(output, "close"), once(output, "error")]);
  await server.connect(transport);
  await Promise.race([gone, signal.aborted ? undefined : once(signal, "abort")]);
  await server.close();
}
