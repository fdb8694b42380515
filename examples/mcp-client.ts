// Uses this computer as an MCP client does: npx tsx examples/mcp-client.ts
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";

const bin = fileURLToPath(new URL("../bin/deskhand.js", import.meta.url));
const client = new Client({ name: "example", version: "1.0.0" });
await client.connect(new StdioClientTransport({ command: process.execPath, args: [bin, "mcp", "--display", "virtual"] }));
try {
  const look = () => client.callTool({ name: "screenshot", arguments: {} });
  const empty = await look();
  const { display } = (empty.structuredContent as { view: { display: string } }).view;
  const box = spawn("zenity", ["--entry", "--title=Name", "--text=Name"], { env: { ...process.env, DISPLAY: display }, stdio: ["ignore", "inherit", "ignore"] });
  const closed = once(box, "exit");
  while (JSON.stringify(await look()) === JSON.stringify(empty)) await delay(500);
  await client.callTool({ name: "type", arguments: { text: "Ada\n", intent: "fill in Name and press Return" } });
  await closed;
} finally {
  await client.close();
}
