import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ProcessEngine } from "../../src/engine/host/process-engine.js";
import { serve, type RunningServer } from "../../src/server/start.js";
import { ENGINE_PROGRAM } from "./support.js";

/** The examples as a reader runs them, against a server with the embedded model. */
const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const CLIENTS = ["openai", "fetch", "ai-sdk", "langchain"];
let server: RunningServer;

beforeAll(async () => {
  server = await serve({ engine: new ProcessEngine("tiny", { program: ENGINE_PROGRAM }), port: 0 });
});
afterAll(() => server.close());

async function run(example: string): Promise<string> {
  const child = spawn(process.execPath, ["--import", "tsx", example, server.url], { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close") as Promise<[number]>]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
}

it("examples/stream: every client prints the same answer and the same cost", async () => {
  const printed = await Promise.all(CLIENTS.map((client) => run(`examples/stream/${client}.ts`)));
  expect(printed[0]).toMatch(/^ada@example\.org\n\d+ tokens in, \d+ out\n$/);
  expect(printed).toEqual(Array<string>(CLIENTS.length).fill(printed[0]!));
});

it.each(CLIENTS)("examples/function-call/%s.ts: the model calls, and answers with what the function returned", async (client) => {
  const printed = await run(`examples/function-call/${client}.ts`);
  expect(printed).toMatch(/^get_weather \{"city": ?"Paris"\} returned \{.*"temperature":17.*\}\n.*Paris.*17.*\n$/);
});
