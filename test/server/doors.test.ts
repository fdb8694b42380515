import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { text as readAll } from "node:stream/consumers";
import { afterEach, describe, expect, it } from "vitest";
import { ScriptedEngine, type Script } from "../../src/engine/scripted-engine.js";
import { isPublicAddress } from "../../src/server/pictures/public-address.js";
import { ErrorBody } from "../../src/server/schemas/error.js";
import { serve, type RunningServer, type ServeOptions } from "../../src/server/start.js";
import { endlessText, HELLO, parseStream, until } from "./support.js";

const started: RunningServer[] = [];
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of started.splice(0)) await server.close();
});

async function start(options: Partial<ServeOptions> = {}, script: Script = () => "ok") {
  const engine = new ScriptedEngine(script);
  const server = await serve({ engine, port: 0, ...options });
  started.push(server);
  const { port } = new URL(server.url);
  const chat = (body: object = {}, headers: Record<string, string> = {}) =>
    fetch(`${server.url}/v1/chat/completions`, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: JSON.stringify({ ...HELLO, ...body }) });
  /** A connection that a test speaks HTTP on by itself: fetch chooses its own Host. */
  const socket = async (): Promise<Socket> => {
    const made = connect(Number(port), "127.0.0.1").on("error", () => undefined);
    sockets.push(made);
    await once(made, "connect");
    return made;
  };
  const raw = async (...lines: string[]): Promise<string> => {
    const made = await socket();
    made.write(`${[...lines, "Connection: close"].join("\r\n")}\r\n\r\n`);
    return readAll(made);
  };
  return { server, engine, chat, socket, raw, port };
}

describe("the names a server for this machine answers to", () => {
  it("are those of this machine, and those it was given", async () => {
    const { raw, port } = await start({ allowHosts: ["proxy.example"] });
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, "LOCALHOST", "[::1]:80", "deskhand.localhost", "proxy.example", "Proxy.Example:8443"]) {
      expect(await raw("GET /v1/models HTTP/1.1", `Host: ${host}`)).toMatch(/^HTTP\/1\.1 200 /);
    }
    for (const host of ["evil.example", `evil.example:${port}`, "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1", "evil.example.", "x@localhost:1@evil"]) {
      const answer = await raw("GET /v1/models HTTP/1.1", `Host: ${host}`);
      expect(answer).toMatch(/^HTTP\/1\.1 403 /);
      expect(ErrorBody.parse(JSON.parse(answer.split("\r\n\r\n")[1] ?? "")).error.code).toBe("forbidden");
    }
  });

  it("are not asked of one that listens beyond it", async () => {
    const { raw } = await start({ host: "0.0.0.0" });
    expect(await raw("GET /v1/models HTTP/1.1", "Host: my-computer.lan")).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe("web pages", () => {
  const preflight = (url: string, origin: string) => fetch(`${url}/v1/chat/completions`, { method: "OPTIONS", headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type" } });

  it("of elsewhere are refused and told nothing, also when they send a form; the server's own is let in", async () => {
    const { server, engine, chat } = await start();
    for (const origin of ["https://evil.example", "null", "http://127.0.0.1:1"]) {
      const answer = await chat({}, { origin });
      expect(answer.status).toBe(403);
      expect(answer.headers.get("access-control-allow-origin")).toBeNull();
      const form = new FormData();
      form.append("file", new Blob(["sound"]), "a.wav");
      expect((await fetch(`${server.url}/v1/audio/transcriptions`, { method: "POST", headers: { origin }, body: form })).status).toBe(403);
      expect((await preflight(server.url, origin)).headers.get("access-control-allow-origin")).toBeNull();
    }
    expect(engine.requests).toHaveLength(0);
    expect((await chat({}, { origin: server.url })).status).toBe(200);
  });

  it("that are named are let in, streams included, and asked for the key like everyone", async () => {
    const origin = "https://app.example:8443";
    const { server, chat } = await start({ corsOrigins: [origin], apiKey: "sesame" });
    const allowed = await preflight(server.url, origin);
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get("access-control-allow-origin")).toBe(origin);
    expect(allowed.headers.get("access-control-allow-headers")).toMatch(/authorization/);
    for (const stream of [false, true]) {
      const answer = await chat({ stream }, { origin, authorization: "Bearer sesame" });
      expect(answer.status).toBe(200);
      expect(answer.headers.get("access-control-allow-origin")).toBe(origin);
      expect(answer.headers.get("access-control-allow-credentials")).toBeNull();
      await answer.text();
    }
    expect((await chat({}, { origin })).status).toBe(401);
    expect((await chat({}, { origin: "https://other.example", authorization: "Bearer sesame" })).status).toBe(403);
    expect((await preflight(server.url, "https://other.example")).headers.get("access-control-allow-origin")).toBeNull();
  });

  it("of every origin only where there is a key, and of what is an origin", async () => {
    await expect(serve({ engine: new ScriptedEngine([]), port: 0, corsOrigins: ["*"] })).rejects.toMatchObject({ code: "invalid_argument" });
    await expect(serve({ engine: new ScriptedEngine([]), port: 0, corsOrigins: ["https://app.example/path"] })).rejects.toMatchObject({ code: "invalid_argument" });
  });
});

describe("a request has its time", () => {
  it("whole and streamed: then it is told so and its generation ends", async () => {
    const { engine, chat } = await start({ limits: { requestTimeoutMs: 300 } }, () => ({ text: endlessText() }));
    const whole = await chat();
    expect([whole.status, await whole.json()]).toMatchObject([504, { error: { code: "timeout", message: expect.stringContaining("--request-timeout") as string } }]);
    const { error, isDone } = parseStream(await (await chat({ stream: true })).text());
    expect(error).toMatchObject({ code: "timeout", type: "server_error" });
    expect(isDone).toBe(false);
    await until(() => engine.outcomes.length === 2);
    expect(engine.outcomes).toEqual(["cancelled", "cancelled"]);
  });

  it("a client that takes its answer in drops is cut then, too", async () => {
    const { engine, socket } = await start({ limits: { requestTimeoutMs: 500, stallTimeoutMs: 60_000 } }, () => ({ text: endlessText("x".repeat(10_000)) }));
    const slow = await socket();
    slow.pause();
    const body = JSON.stringify({ ...HELLO, stream: true });
    slow.write(`POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    await until(() => engine.outcomes.length === 1);
    expect(engine.outcomes).toEqual(["cancelled"]);
    slow.resume();
    await once(slow, "close");
  });

  it("a client that sends its request in drops is cut, and holds no place", async () => {
    const { server, engine, socket } = await start({ limits: { receiveTimeoutMs: 300 } });
    const slow = await socket();
    slow.write("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{");
    const dripping = setInterval(() => slow.write(" "), 20);
    const answer = await readAll(slow).finally(() => clearInterval(dripping));
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(engine.requests).toHaveLength(0);
    expect(await (await fetch(`${server.url}/health`)).json()).toMatchObject({ requests: 0 });
  });
});

describe("the sizes of a request", () => {
  it("headers beyond the limit are a 431", async () => {
    const { raw } = await start({ limits: { maxHeaderBytes: 4096 } });
    const answer = await raw("GET /health HTTP/1.1", "Host: localhost", `X-Long: ${"x".repeat(5000)}`);
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    ErrorBody.parse(JSON.parse(answer.split("\r\n\r\n")[1] ?? ""));
  });

  it("connections beyond the limit are closed, and there is room again when one goes", async () => {
    const { server, socket } = await start({ limits: { maxConnections: 2 } });
    const open = [await socket(), await socket()];
    const third = await socket();
    await once(third, "close");
    open[0]?.destroy();
    const answers = async () => fetch(`${server.url}/health`, { headers: { connection: "close" } }).then(({ status }) => status, () => 0);
    while ((await answers()) !== 200);
  });
});

describe("addresses pictures are fetched from", () => {
  it.each(["127.0.0.1", "127.8.8.8", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "::", "::1", "::ffff:127.0.0.1", "::ffff:7f00:1", "::127.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::7f00:1", "2002:7f00:1::", "2001::1", "fe80::1", "fe80::1%eth0", "fec0::1", "fd00::1", "ff02::1", "100::1", "4000::1", "2001:db8::1", "", "localhost"])("not %s", (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it.each(["8.8.8.8", "1.1.1.1", "::ffff:8.8.8.8", "2606:4700:4700::1111", "2a00:1450:4001::1"])("%s", (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });
});
