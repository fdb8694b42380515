import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ScriptedEngine } from "../../src/engine/scripted-engine.js";
import { serve, type RunningServer } from "../../src/server/start.js";
import { endlessText, HELLO } from "../server/support.js";
import { Random } from "../unit/support/random-schemas.js";
import { complaint, openSockets, until } from "./checks.js";
import { open, sendBroken, wire } from "./sockets.js";

const BROKEN = 800;
const READERS = 200;
const AT_ONCE = 25;
const WORDS = 200;

let engine: ScriptedEngine;
let server: RunningServer;
let sockets: number;
const port = (): number => Number(new URL(server.url).port);

beforeAll(async () => {
  sockets = openSockets();
  // Endless unless it is told how much: who reads it all asks for an end.
  engine = new ScriptedEngine(() => ({ text: endlessText("word 😀 ") }));
  server = await serve({ engine, port: 0, limits: { stallTimeoutMs: 300, maxConcurrent: 2 * AT_ONCE } });
});
afterAll(async () => {
  await server.close();
  await until(() => openSockets() === sockets);
});

async function inTurns(count: number, work: (number: number) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (next < count) await work(next++);
    }),
  );
}

/** Nothing runs, waits or is connected any more. */
async function untilQuiet(): Promise<void> {
  await until(() => engine.running === 0 && engine.outcomes.length === engine.requests.length && openSockets() === sockets);
  expect(await (await fetch(`${server.url}/health`, { headers: { connection: "close" } })).json()).toMatchObject({ status: "ok", requests: 0 });
}

it(`${BROKEN} requests that are hardly HTTP: each answer is whole HTTP with an error in our form, or none`, async () => {
  const complaints: string[] = [];
  let answered = 0;
  await inTurns(BROKEN, async (number) => {
    const { sent, answer } = await sendBroken(new Random(number), port());
    if (answer === "") return;
    answered++;
    // Interim answers have no body.
    const [head = "", body = ""] = answer.replace(/^(HTTP\/1\.1 100 Continue\r\n\r\n)+/, "").split(/\r\n\r\n(.*)/s);
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]);
    const type = /^content-type: (.*)$/im.exec(head)?.[1];
    // Of several answers on one connection the first is read by its length.
    const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1]);
    const problem = Number.isNaN(status) ? `is no HTTP: ${answer.slice(0, 100)}` : complaint("/", status, type, Number.isNaN(length) ? body : body.slice(0, length));
    if (problem) complaints.push(`${number}: ${JSON.stringify(sent.toString("latin1").slice(0, 120))} ${problem}`);
  });
  expect(complaints).toEqual([]);
  expect(answered).toBeGreaterThan(BROKEN / 3);
  await untilQuiet();
});

it(`${READERS} readers of streams that stall, leave, half leave or read byte by byte: who reads gets all, who leaves leaves nothing`, async () => {
  const whole = `${Array.from({ length: WORDS }, () => "word 😀 ").join("")}`;
  const texts: string[] = [];
  await inTurns(READERS, async (number) => {
    const random = new Random(number);
    const kind = random.pick(["stalls", "leaves", "resets", "slow"] as const);
    const socket = await open(port());
    const closed = once(socket, "close");
    socket.pause();
    socket.write(wire({ ...HELLO, stream: true, ...(kind === "slow" && { max_tokens: WORDS }) }, { headers: { Connection: "close" } }));
    if (kind === "slow") {
      texts.push(await readBytewise(socket));
    } else if (kind === "stalls") {
      // Nothing is read: some wait for longer than the server does.
      await delay(random.int(0, 600));
      socket.destroy();
    } else {
      socket.resume();
      await once(socket, "data");
      await delay(random.int(0, 20));
      if (kind === "resets") socket.resetAndDestroy();
      else socket.destroy();
    }
    await closed;
  });
  expect(texts.length).toBeGreaterThan(READERS / 10);
  expect(new Set(texts)).toEqual(new Set([whole]));
  await untilQuiet();
  expect(engine.outcomes.filter((outcome) => outcome === "failed")).toEqual([]);
});

/** The joined text of a stream that is read a byte at a time, whatever the bytes were cut from. */
async function readBytewise(socket: Awaited<ReturnType<typeof open>>): Promise<string> {
  const bytes: number[] = [];
  socket.on("readable", () => {
    for (let byte = socket.read(1) as Buffer | null; byte !== null; byte = socket.read(1) as Buffer | null) bytes.push(byte[0]!);
  });
  await once(socket, "end");
  const body = Buffer.from(bytes).toString();
  expect(body).toContain("data: [DONE]");
  return [...body.matchAll(/^data: (\{.*\})\r?$/gm)].map(([, json = ""]) => (JSON.parse(json) as { choices: { delta: { content?: string } }[] }).choices[0]?.delta.content ?? "").join("");
}
