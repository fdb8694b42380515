import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { HELLO } from "../server/support.js";
import type { Random } from "../unit/support/random-schemas.js";
import { randomBytes } from "./bodies.js";

/** How long the end of an answer is waited for by a client whose request has no end. */
const PATIENCE_MS = 150;

/** A whole request, as it goes over the wire. */
export function wire(body: object, { method = "POST", path = "/v1/chat/completions", headers = {} }: { method?: string; path?: string; headers?: Record<string, string> } = {}): string {
  const text = JSON.stringify(body);
  const all = { Host: "localhost", "Content-Type": "application/json", "Content-Length": String(Buffer.byteLength(text)), ...headers };
  return `${method} ${path} HTTP/1.1\r\n${Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${text}`;
}

const GOOD = wire({ ...HELLO, max_tokens: 1 });
const json = (length: string, more = ""): string => `POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${length}${more}\r\n`;
const chunked = (chunks: string): string => json("Transfer-Encoding: chunked\r\n") + chunks;

/** What is not, or hardly, HTTP. */
const BROKEN: ((random: Random) => string | Buffer)[] = [
  (random) => randomBytes(random, random.int(1, 300)),
  () => Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]), // TLS
  () => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  () => "GET /health\r\n\r\n",
  () => "GET /health HTTP/1.1\r\n\r\n",
  () => "GET /health HTTP/3.7\r\nHost: localhost\r\n\r\n",
  () => "HELO localhost\r\nMAIL FROM:<a@b>\r\n",
  () => "CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: localhost\r\n\r\n",
  () => "GET http://127.0.0.1/health HTTP/1.1\r\nHost: localhost\r\n\r\n",
  () => "GET /%zz/%00/%ff HTTP/1.1\r\nHost: localhost\r\n\r\n",
  () => "GET /v1/models/%2e%2e%2f%2e%2e%2fetc%2fpasswd HTTP/1.1\r\nHost: localhost\r\n\r\n",
  () => "GET /page/../../package.json HTTP/1.1\r\nHost: localhost\r\n\r\n",
  () => `GET /${"a".repeat(30_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`,
  () => `GET /health HTTP/1.1\r\nHost: localhost\r\n${"X: y\r\n".repeat(5_000)}\r\n`,
  () => "GET /health HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\n",
  () => "GET /health HTTP/1.1\r\nHost: localhost\r\nX\0Y: z\r\n\r\n",
  () => "GET /health HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n",
  () => "GET /health HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\n\r\n",
  () => wire(HELLO, { headers: { Expect: "the-spanish-inquisition" } }),
  () => json("Content-Length: -1\r\n"),
  () => json("Content-Length: 0x10\r\n"),
  () => json("Content-Length: 99999999999999999999\r\n"),
  () => json("Content-Length: 10\r\nContent-Length: 20\r\n") + "x".repeat(20),
  () => json("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\nGET /health HTTP/1.1\r\n\r\n",
  () => json("Transfer-Encoding: chunked, identity\r\n") + "0\r\n\r\n",
  () => json(`Content-Length: ${2 ** 40}\r\n`) + "{",
  () => json("Content-Length: 100\r\n") + '{"messages":',
  () => json("Content-Length: 2\r\n", "Content-Encoding: gzip\r\n") + "{}",
  () => chunked("zz\r\n{}\r\n0\r\n\r\n"),
  () => chunked("ffffffffffffffff\r\n{}"),
  () => chunked(`2;${"x".repeat(40_000)}\r\n{}\r\n0\r\n\r\n`),
  () => chunked("2\r\n{}\r\n0\r\nX-Trailer: y\r\n\r\n"),
  () => chunked("2\r\n{}"),
  () => GOOD + GOOD + GOOD.slice(0, -5),
  (random) => {
    const bytes = Buffer.from(GOOD);
    for (let times = random.int(1, 6); times > 0; times--) bytes[random.int(0, bytes.length - 1)] = random.int(0, 255);
    return bytes;
  },
  (random) => GOOD.slice(0, random.int(1, GOOD.length)),
];

/** Sends what is no request as it should be, in one piece or several, and gives back all that the server says to it. */
export async function sendBroken(random: Random, port: number): Promise<{ sent: Buffer; answer: string }> {
  const sent = Buffer.from(random.pick(BROKEN)(random));
  const socket = await open(port);
  let answer = "";
  socket.setEncoding("latin1").on("data", (text: string) => (answer += text));
  const pieces = random.int(1, 3);
  for (let i = 0; i < pieces && socket.writable; i++) {
    socket.write(sent.subarray(Math.floor((i * sent.length) / pieces), Math.floor(((i + 1) * sent.length) / pieces)));
    await delay(0);
  }
  // Some only stop sending, some go, some wait for what comes.
  if (random.chance(0.5)) socket.end();
  if (!random.chance(0.1)) await Promise.race([once(socket, "close"), delay(PATIENCE_MS, undefined, { ref: false })]);
  socket.destroy();
  return { sent, answer };
}

export async function open(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  // The server may end it at any time: that is no matter here.
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}
