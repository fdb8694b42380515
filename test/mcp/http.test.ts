import { request } from "node:http";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { expect, it } from "vitest";
import { serveHttp } from "../../src/tools/mcp/http.js";
import { tinyReply } from "../agent/support/replies.js";
import { until } from "../support/desktop.js";
import { call, newClient, withPlace, type Answer, type Place } from "./support.js";

const TOKEN = "a-token-of-this-test";

async function withHttp(use: (place: Place & { url: string; join: (answer?: Answer) => Promise<ReturnType<typeof newClient> & { transport: StreamableHTTPClientTransport }> }) => Promise<void>, replies = [tinyReply("done", { action: "terminate", status: "success" })]): Promise<void> {
  await withPlace({ replies }, async (place) => {
    await using running = await serveHttp({ ...place.options, port: 0, token: TOKEN });
    const { url } = running;
    const join = async (answer?: Answer) => {
      const client = newClient(answer);
      await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers: { authorization: `Bearer ${TOKEN}` } } }));
      return client as typeof client & { transport: StreamableHTTPClientTransport };
    };
    await use({ ...place, url, join });
  });
}

/** A bare request, whose headers nobody completes. */
function post(url: string, headers: Record<string, string>, body: unknown = {}, method = "POST"): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers: { "content-type": "application/json", accept: "application/json, text/event-stream", ...headers } }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk)).on("end", () => resolve({ status: response.statusCode!, text }));
    });
    sent.on("error", reject);
    sent.end(method === "GET" ? undefined : JSON.stringify(body));
  });
}

const INITIALIZE = { jsonrpc: "2.0", id: 1, method: "initialize", params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "raw", version: "1" } } };
const KEY = { authorization: `Bearer ${TOKEN}` };

it("serves the SDK's client: tools, pictures, actions, questions to the user, progress and the end of a session", async () => {
  await withHttp(async ({ join, computer, url }) => {
    expect(new URL(url).hostname).toBe("127.0.0.1");
    const client = await join(() => ({ action: "accept", content: { decision: "allow" } }));
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain("screenshot");
    expect((await call(client, "screenshot")).content.map(({ type }) => type)).toEqual(["text", "image"]);
    await call(client, "click", { at: { x: 7, y: 8 }, intent: "press Delete" });
    expect(client.asked).toHaveLength(1);
    expect(computer.events.at(-1)).toMatchObject({ type: "click", at: { x: 7, y: 8 } });
    const steps: string[] = [];
    expect((await call(client, "run_task", { task: "press OK" }, { onprogress: ({ message }) => void steps.push(message ?? "") })).structuredContent).toMatchObject({ success: true });
    expect(steps).toEqual(["done"]);
    const other = await join();
    expect((await call(other, "click", { intent: "press OK" })).text).toMatch(/another session/);
    await client.transport.terminateSession();
    await until("the mouse is free", async () => (await call(other, "click", { intent: "press OK" })).isError === undefined);
    await Promise.all([client.close(), other.close()]);
  });
});

it("lets nobody in without the token, from another page, by another name, or into another's session", async () => {
  await withHttp(async ({ url, computer }) => {
    expect(await post(url, {}, INITIALIZE)).toMatchObject({ status: 401 });
    expect(await post(url, { authorization: "Bearer another" }, INITIALIZE)).toMatchObject({ status: 401 });
    expect(await post(url, { ...KEY, origin: "https://evil.example" }, INITIALIZE)).toMatchObject({ status: 403 });
    expect(await post(url, { ...KEY, host: "evil.example" }, INITIALIZE)).toMatchObject({ status: 403 });
    expect(await post(url, KEY, { jsonrpc: "2.0", id: 1, method: "tools/list" })).toMatchObject({ status: 400 });
    expect(await post(url, { ...KEY, "mcp-session-id": "guessed" }, { jsonrpc: "2.0", id: 1, method: "tools/list" })).toMatchObject({ status: 404 });
    expect(await post(url, KEY, { ...INITIALIZE, padding: "x".repeat(1_100_000) })).toMatchObject({ status: 413 });
    expect(await post(url, { ...KEY, "content-type": "text/plain" }, INITIALIZE)).toMatchObject({ status: 415 });
    expect(await post(new URL("/other", url).href, KEY, INITIALIZE)).toMatchObject({ status: 404 });
    expect(await post(url, {}, undefined, "GET")).toMatchObject({ status: 401 });
    expect(await post(url, KEY, INITIALIZE)).toMatchObject({ status: 200, text: expect.stringContaining('"serverInfo"') as string });
    expect(computer.events).toEqual([]);
  });
});

it("has room for so many sessions and no more", async () => {
  await withHttp(async ({ url }) => {
    for (let i = 0; i < 16; i++) expect((await post(url, KEY, INITIALIZE)).status).toBe(200);
    expect(await post(url, KEY, INITIALIZE)).toMatchObject({ status: 429, text: expect.stringContaining("at most 16 sessions") as string });
  });
});

it("ends with its sessions, and what they hold is released", async () => {
  await withPlace({}, async (place) => {
    const running = await serveHttp({ ...place.options, port: 0, token: TOKEN });
    const client = newClient();
    await client.connect(new StreamableHTTPClientTransport(new URL(running.url), { requestInit: { headers: KEY } }));
    await call(client, "key_down", { keys: ["shift"], intent: "select" });
    await running[Symbol.asyncDispose]();
    await until("it was released", () => place.computer.heldKeys.size === 0);
    await expect(call(client, "screenshot")).rejects.toThrow();
    await client.close();
  });
});
