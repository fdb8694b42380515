import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js";
import { CallToolResultSchema, ElicitRequestSchema, type CallToolResult, type ElicitResult } from "@modelcontextprotocol/sdk/types.js";
import type { RequestOptions } from "@modelcontextprotocol/sdk/shared/protocol.js";
import { MemoryComputer, type MemoryComputerOptions } from "../../src/agent/computer/memory.js";
import { Secrets } from "../../src/agent/safety/secrets.js";
import { Desk, type DeskOptions } from "../../src/tools/mcp/desk.js";
import { createMcpServer, type McpOptions } from "../../src/tools/mcp/server.js";
import { ScriptedServer, type ScriptedReply } from "../agent/support/scripted-server.js";

/** How the client's user answers when they are asked; without it the client cannot ask. */
export type Answer = (message: string) => ElicitResult | Promise<ElicitResult>;

export function newClient(answer?: Answer): Client & { asked: string[] } {
  const client = Object.assign(new Client({ name: "judge", version: "1" }, { capabilities: answer ? { elicitation: {} } : {} }), { asked: [] as string[] });
  if (answer) {
    client.setRequestHandler(ElicitRequestSchema, ({ params: { message } }) => {
      client.asked.push(message);
      return answer(message);
    });
  }
  return client;
}

export interface Place {
  desk: Desk;
  computer: MemoryComputer;
  model: ScriptedServer;
  options: McpOptions;
  connect: (answer?: Answer) => Promise<Client & { asked: string[] }>;
}

export interface PlaceOptions {
  computer?: Partial<MemoryComputerOptions>;
  desk?: Partial<DeskOptions>;
  mcp?: Partial<McpOptions>;
  replies?: ScriptedReply[];
}

/** An MCP server on a computer in memory, for clients in this process. All of it is gone afterwards. */
export async function withPlace<T>({ computer: more, desk: deskOptions, mcp, replies = [] }: PlaceOptions, use: (place: Place) => Promise<T>): Promise<T> {
  const outRoot = await mkdtemp(join(tmpdir(), "deskhand-mcp-"));
  const computer = new MemoryComputer({ widthPx: 640, heightPx: 480, ...more });
  try {
    await using model = await ScriptedServer.start(replies);
    const secrets = await Secrets.load("", async () => "", new AbortController().signal);
    await using desk = new Desk({ open: async () => ({ computer, displayName: undefined, close: () => computer.close() }), confirm: "risky", stopKeys: "ctrl+alt+esc", idleMs: 60_000, secrets, ...deskOptions });
    const options: McpOptions = { version: "1.2.3", desk, pictures: "always", task: { baseURL: model.url, model: "tiny", maxSteps: 5, outRoot }, ...mcp };
    const clients: Client[] = [];
    const connect = async (answer?: Answer) => {
      const [ours, theirs] = InMemoryTransport.createLinkedPair();
      await createMcpServer(options).connect(ours);
      const client = newClient(answer);
      await client.connect(theirs);
      clients.push(client);
      return client;
    };
    const result = await use({ desk, computer, model, options, connect });
    for (const client of clients) await client.close();
    return result;
  } finally {
    await rm(outRoot, { recursive: true });
  }
}

export async function call(client: Client, name: string, args: Record<string, unknown> = {}, options?: RequestOptions): Promise<CallToolResult & { text: string }> {
  const result = (await client.callTool({ name, arguments: args }, CallToolResultSchema, options)) as CallToolResult;
  return { ...result, text: result.content.map((part) => (part.type === "text" ? part.text : "")).join("") };
}
