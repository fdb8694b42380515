import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, expect, it } from "vitest";
import { ProcessEngine } from "../../src/engine/host/process-engine.js";
import type { Engine } from "../../src/engine/inference.js";
import { ScriptedEngine } from "../../src/engine/scripted-engine.js";
import { serve } from "../../src/server/start.js";
import { ENGINE_PROGRAM } from "../server/support.js";
import { pythonWithClients } from "./python.js";

/** schemathesis judges a live server by its own description: what it sends is made of `/openapi.json`, in its bounds and beyond. */

const SET_UP_TIMEOUT_MS = 600_000;
/** Thousands of requests, of which none takes long. */
const TIMEOUT_MS = 300_000;
const KEY = "the-key";
const CONFIG = fileURLToPath(new URL("schemathesis.toml", import.meta.url));
/** Small, random, and it sees. */
const SMALL = fileURLToPath(new URL("../golden/fixtures/qwen3-vl/model", import.meta.url));

let python: string;
beforeAll(async () => {
  python = await pythonWithClients();
}, SET_UP_TIMEOUT_MS);

interface Report {
  test_cases: { generated: number; errored: number };
  operations: { total: number; tested: number };
  failures: { title: string; operations: string[] }[];
}

async function judge(engine: Engine, args: readonly string[]): Promise<Report & { said: string }> {
  await using server = await serve({ engine, port: 0, apiKey: KEY });
  const dir = await mkdtemp(join(tmpdir(), "deskhand-schemathesis-"));
  const report = join(dir, "report.json");
  const command = ["-m", "schemathesis.cli", "--config-file", CONFIG, "run", `${server.url}/openapi.json`, "--header", `Authorization: Bearer ${KEY}`, "--no-color", "--report", "json", "--report-json-path", report];
  try {
    // Failures are an exit code of 1; what they are stands in the report.
    const { stdout } = await promisify(execFile)(python, [...command, ...args], { cwd: dir, maxBuffer: 64 * 2 ** 20 }).catch((error: { stdout: string }) => error);
    return { ...(JSON.parse(await readFile(report, "utf8")) as Report), said: stdout };
  } finally {
    await rm(dir, { recursive: true });
  }
}

it("every route does as /openapi.json says: statuses, content types, headers, bodies, methods, the key", async () => {
  const engine = new ScriptedEngine(() => ({ text: ["o", "k"], reasoning: "hm" }), {
    info: { tasks: ["generate", "embed", "transcribe"], audio: true },
    embed: ({ inputs, dimensions }) => ({ vectors: inputs.map(() => new Float32Array(4).subarray(0, dimensions)), promptTokens: inputs.length }),
    hear: async function* () {
      yield await Promise.resolve({ type: "transcript", transcript: { text: "hi", language: "en", durationS: 1, segments: [] } });
    },
  });
  const { failures, test_cases: cases, operations, said } = await judge(engine, ["--max-examples", "5"]);
  expect(failures, said).toEqual([]);
  expect(cases.errored, said).toBe(0);
  expect(operations.tested).toBe(operations.total);
  expect(cases.generated).toBeGreaterThan(1000);
}, TIMEOUT_MS);

it("a real engine fails on none of what the description allows", async () => {
  const engine = new ProcessEngine(SMALL, { program: ENGINE_PROGRAM });
  const { failures, said } = await judge(engine, ["--max-examples", "4", "--phases", "fuzzing", "--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"]);
  expect(failures, said).toEqual([]);
}, TIMEOUT_MS);
