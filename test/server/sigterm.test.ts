import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { ErrorBody } from "../../src/server/schemas/error.js";
import { parseStream, until } from "./support.js";

/** Random: its greedy answers go on until they are told to end. */
const ENDLESS = fileURLToPath(new URL("../golden/fixtures/qwen3/model", import.meta.url));
const COMMAND = `import { main } from ${JSON.stringify(new URL("../../dist/tools/cli.js", import.meta.url).href)}; process.exitCode = await main(process.argv.slice(1));`;
const TOKENS = 1500;

/** The processes that a process has started, where the system tells. */
function childrenOf(pid: number): number[] {
  const parentOf = (child: string): number => {
    try {
      return Number(/\) \S (\d+) /.exec(readFileSync(`/proc/${child}/stat`, "latin1"))?.[1]);
    } catch {
      return NaN; // it has just ended
    }
  };
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name) && parentOf(name) === pid).map(Number);
}

it("`deskhand serve` on SIGTERM: the stream under way ends whole, what comes then is told to come back, and nothing is left", async () => {
  const child = spawn(process.execPath, ["--input-type=module", "-e", COMMAND, "serve", "--model", ENDLESS, "--port", "0", "--drain-timeout", "10m"], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const url = /^listening on (\S+)\n$/.exec(line.toString())![1]!;
  const engines = childrenOf(child.pid!);
  expect(engines).toHaveLength(1);

  const ask = (body: object) =>
    fetch(`${url}/v1/chat/completions`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ messages: [{ role: "user", content: "x" }], temperature: 0, ...body }) });
  const reader = (await ask({ stream: true, max_tokens: TOKENS, stream_options: { include_usage: true } })).body!.pipeThrough(new TextDecoderStream()).getReader();
  let body = (await reader.read()).value ?? "";
  child.kill("SIGTERM");
  const told = await untilRefused(() => ask({ max_tokens: 1 }));
  // The stream was still under way then: what is read from here on came later.
  for (let next = await reader.read(); !next.done; next = await reader.read()) body += next.value;

  expect(told).toMatchObject({ status: 503, retryAfter: "1", error: { code: "engine_unavailable", message: expect.stringMatching(/shutting down/) as string } });
  const { chunks, isDone, error } = parseStream(body);
  expect({ isDone, error }).toEqual({ isDone: true, error: undefined });
  expect(chunks.at(-1)?.usage?.completion_tokens).toBe(TOKENS);
  expect(await exited).toEqual([0, null]);
  await until(() => !existsSync(`/proc/${engines[0]}`));
});

/** The first refusal: the signal takes a moment to arrive. */
async function untilRefused(ask: () => Promise<Response>) {
  for (;;) {
    const answer = await ask();
    const body: unknown = await answer.json();
    if (answer.status !== 200) return { status: answer.status, retryAfter: answer.headers.get("retry-after"), error: ErrorBody.parse(body).error };
  }
}
