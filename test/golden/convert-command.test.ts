import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FIXTURES } from "./support/golden.js";

// `deskhand convert` as a process of its own: what it says, its exit code, and what is left when it does not come to its end.

const CLI = fileURLToPath(new URL("../../src/tools/cli.ts", import.meta.url));
const ENTRY = `import(${JSON.stringify(CLI)}).then(async ({ main }) => { process.exitCode = await main(process.argv.slice(1)); });`;
const MODEL = `${FIXTURES}qwen3/model`;

const root = mkdtempSync(join(tmpdir(), "deskhand-convert-command-"));
afterAll(() => rmSync(root, { recursive: true }));

/** @param limitKiB no file may become larger, as on a disk that is full */
function start(args: readonly string[], limitKiB?: number) {
  const command = ["node", "--import", "tsx", "--input-type=module", "--eval", ENTRY, "--", "convert", ...args];
  const limit = limitKiB === undefined ? "" : `ulimit -f ${limitKiB}; `;
  const child = spawn("bash", ["-c", `${limit}exec "$@"`, "bash", ...command], { stdio: ["ignore", "pipe", "pipe"] });
  const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>]);
  return { child, ended: ended.then(([stdout, stderr, [code, signal]]) => ({ stdout, stderr, code, signal })) };
}

const run = async (args: readonly string[], limitKiB?: number) => start(args, limitKiB).ended;

describe("deskhand convert", () => {
  it("prints the folder it made", async () => {
    const out = join(root, "made");
    expect(await run(["--model", MODEL, "--out", out, "--quantize", "--group-size", "32", "--dtype", "bfloat16"])).toMatchObject({ code: 0, stdout: `${out}\n`, stderr: "" });
    expect(JSON.parse(readFileSync(join(out, "config.json"), "utf8"))).toMatchObject({ torch_dtype: "bfloat16", quantization: { bits: 4, group_size: 32, mode: "affine" } });
  });

  it.each<[string, number, RegExp, string[], number?]>([
    ["a folder that exists", 2, /^error: Expected out to name a folder that does not exist yet/, ["--model", MODEL, "--out", join(root, "taken")]],
    ["a model that there is not", 1, /^error: Expected a model but received "\/nowhere/, ["--model", "/nowhere", "--out", join(root, "new", "out")]],
    ["a folder that is not a model", 1, /^error: .*config\.json/, ["--model", join(root, "taken"), "--out", join(root, "new", "out")]],
    ["a quantised model to be quantised", 2, /^error: Expected plain weights to quantise .* has 4-bit ones/, ["--model", `${FIXTURES}qwen3-4bit/model`, "--out", join(root, "new", "out"), "--quantize", "8"]],
    ["a plain model to be made plain", 2, /^error: Expected quantised weights to make plain/, ["--model", MODEL, "--out", join(root, "new", "out"), "--dequantize"]],
    ["widths that MLX does not have", 2, /^error: Expected bits .* 2, 3, 4, 5, 6, 8/, ["--model", MODEL, "--out", join(root, "new", "out"), "--quantize", "7"]],
    ["a mode without --quantize", 2, /^error: --group-size and --mode go with/, ["--model", MODEL, "--out", join(root, "new", "out"), "--mode", "mxfp4"]],
    ["a place where no folder can be made", 1, /^error: Expected to write .* ENOTDIR.*Choose a folder that can be written/, ["--model", MODEL, "--out", join(root, "taken", "file", "out")]],
    ["no room for the weights", 1, /^error: Expected to write .* EFBIG.*has room/, ["--model", MODEL, "--out", join(root, "new", "out")], 100],
  ])("%s: ends with %i, one line, and nothing new on the disk", async (_, code, message, args, limitKiB) => {
    mkdirSync(join(root, "taken"), { recursive: true });
    writeFileSync(join(root, "taken", "file"), "mine");
    const before = readdirSync(root).sort();
    const result = await run(args, limitKiB);
    expect(result).toMatchObject({ code, stdout: "" });
    expect(result.stderr).toMatch(message);
    expect(result.stderr).toMatch(/^[^\n]+\n(\(--help shows how it is used\)\n)?$/);
    expect(readdirSync(root).sort()).toEqual(before);
    expect(readdirSync(join(root, "taken"))).toEqual(["file"]);
  });
});

describe("interrupted", () => {
  const model = join(root, "large");
  /** Of the embeddings: 256 MB of weights, all zero and without a place on the disk. */
  const VOCABULARY = 1 << 20;
  beforeAll(() => enlarge(MODEL, model, VOCABULARY));

  it.each(["SIGINT", "SIGTERM"] as const)("%s: ends with 1 and leaves nothing", async (signal) => {
    const parent = join(root, "interrupted");
    const { child, ended } = start(["--model", model, "--out", join(parent, "out"), "--quantize"]);
    while (!existsSync(parent) && child.exitCode === null) await sleep(1);
    child.kill(signal);
    expect(await ended).toMatchObject({ code: 1, signal: null, stdout: "", stderr: expect.stringMatching(/^error: [^\n]+\n$/) as string });
    expect(existsSync(parent)).toBe(false);
  });
});

/** The model with more embeddings than it knows tokens, in one sparse file. */
function enlarge(from: string, to: string, vocabulary: number): void {
  mkdirSync(to);
  const config = JSON.parse(readFileSync(join(from, "config.json"), "utf8")) as Record<string, unknown>;
  writeFileSync(join(to, "config.json"), JSON.stringify({ ...config, vocab_size: vocabulary }));
  const header: Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }> = {};
  let end = 0;
  for (const file of readdirSync(from).filter((name) => name.endsWith(".safetensors"))) {
    const bytes = readFileSync(join(from, file));
    const entries = JSON.parse(bytes.toString("utf8", 8, 8 + Number(bytes.readBigUInt64LE()))) as Record<string, { dtype: string; shape: number[] }>;
    for (const [name, { dtype, shape }] of Object.entries(entries)) {
      if (name === "__metadata__") continue;
      const own = name === "model.embed_tokens.weight" ? [vocabulary, shape[1]!] : shape;
      header[name] = { dtype, shape: own, data_offsets: [end, (end += 4 * own.reduce((a, b) => a * b, 1))] };
    }
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const file = openSync(join(to, "model.safetensors"), "w");
  writeSync(file, Buffer.concat([length, json]));
  ftruncateSync(file, 8 + json.length + end);
  closeSync(file);
}
