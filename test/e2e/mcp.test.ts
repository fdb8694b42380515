import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import x11, { type XDisplay } from "x11";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startVirtualDisplay } from "../../src/agent/computer/index.js";
import { tinyReply } from "../agent/support/replies.js";
import { ScriptedServer } from "../agent/support/scripted-server.js";
import { call, newClient } from "../mcp/support.js";
import { geometryOf, startApplication, until } from "../support/desktop.js";

/** `deskhand mcp` as a client starts it, on a display of its own, judged by what an application received. */

const BIN = fileURLToPath(new URL("../../bin/deskhand.js", import.meta.url));
let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "deskhand-mcp-"));
  // Whatever the checkout still has to build is built, and said, here.
  await once(spawn(process.execPath, [BIN, "--version"], { stdio: "ignore" }), "exit");
});
afterAll(() => rm(home, { recursive: true }));

async function start(model: ScriptedServer) {
  const client = newClient();
  const transport = new StdioClientTransport({ command: process.execPath, args: [BIN, "mcp", "--display", "virtual", "--base-url", model.url, "--out", home], stderr: "pipe" });
  const errors: Error[] = [];
  // Anything on stdout that is no message of the protocol ends here.
  client.onerror = (error) => errors.push(error);
  let stderr = "";
  transport.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  await client.connect(transport);
  const { view } = (await call(client, "screenshot")).structuredContent as { view: { display: string; picture: { width: number; height: number } } };
  return { client, errors, view, env: { ...process.env, DISPLAY: view.display, NO_AT_BRIDGE: "1" }, stderr: () => stderr };
}

it("fills in a form through the SDK's client, and the form receives exactly that; run_task presses its button", async () => {
  await using model = await ScriptedServer.start([tinyReply("press Return", { action: "key", keys: ["enter"] }), tinyReply("done", { action: "terminate", status: "success" })]);
  const { client, errors, view, env, stderr } = await start(model);
  expect(view.picture).toEqual({ width: 640, height: 480 });
  const form = await startApplication(env, "zenity", ["--entry", "--title=Name", "--text=Name"]);
  try {
    const { x, y, width } = await geometryOf(env, form.window);
    await call(client, "click", { at: { x: x + Math.round(width / 2), y: y + 45 }, intent: "click the field Name" });
    await call(client, "type", { text: "Ada Löve ", intent: "fill in Name" });
    const done = await call(client, "run_task", { task: "press Return" });
    expect(done.structuredContent).toMatchObject({ success: true, trajectoryDir: expect.stringContaining(home) as string });
    expect(await form.ended()).toEqual({ code: 0, output: "Ada Löve \n" });
    expect({ errors, stderr: stderr() }).toEqual({ errors: [], stderr: "" });
  } finally {
    await form.kill();
    await client.close();
  }
});

/** Keycodes that are down, as the X server tells a connection of its own. */
async function keysDown(displayName: string): Promise<number[]> {
  const { client } = await new Promise<XDisplay>((resolve, reject) => x11.createClient({ display: displayName }, (error, found) => (error ? reject(error) : resolve(found))));
  const bits = await new Promise<Buffer>((resolve, reject) => client.QueryKeymap((error, value) => (error ? reject(error) : resolve(value))));
  client.terminate();
  return Array.from({ length: 256 }, (_, keycode) => keycode).filter((keycode) => ((bits[keycode >> 3] ?? 0) >> (keycode & 7)) & 1);
}

it.each(["a closed stdin", "SIGTERM", "SIGINT"])("lets go of held keys and ends with 0 by %s", async (how) => {
  await using model = await ScriptedServer.start([]);
  const virtual = await startVirtualDisplay();
  const { display, env } = virtual;
  try {
    const child = spawn(process.execPath, [BIN, "mcp", "--display", "current", "--base-url", model.url], { env, stdio: ["pipe", "pipe", "inherit"] });
    const ended = once(child, "exit");
    const send = (message: object) => void child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
    send({ id: 1, method: "initialize", params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "raw", version: "1" } } });
    send({ method: "notifications/initialized" });
    send({ id: 2, method: "tools/call", params: { name: "key_down", arguments: { keys: ["shift"], intent: "select" } } });
    await until("Shift is held", async () => (await keysDown(display)).length === 1);
    if (how === "a closed stdin") child.stdin.end();
    else child.kill(how as "SIGTERM");
    expect(await ended).toEqual([0, null]);
    expect(await keysDown(display)).toEqual([]);
  } finally {
    await virtual.close();
  }
});
