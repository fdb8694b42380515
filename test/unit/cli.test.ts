import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/** The command as a user runs it, in a process of its own, with an empty Hugging Face cache and no network. */
const BIN = fileURLToPath(new URL("../../bin/deskhand.js", import.meta.url));
let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "deskhand-cli-"));
  // Whatever the checkout still has to build is built, and said, here.
  await run("--version");
});
afterAll(() => rm(home, { recursive: true, force: true }));

function start(args: readonly string[]) {
  const child = spawn(process.execPath, [BIN, ...args], { env: { ...process.env, HF_HOME: home, HF_HUB_OFFLINE: "1" }, stdio: ["ignore", "pipe", "pipe"] });
  // A reader that a test lets leave early has read nothing.
  const ended = Promise.all([text(child.stdout).catch(() => ""), text(child.stderr), once(child, "close") as Promise<[number | null]>]);
  return { child, ended: ended.then(([stdout, stderr, [code]]) => ({ stdout, stderr, code })) };
}

const run = (...args: string[]) => start(args).ended;

/** Starts `serve` and waits for the line that says it answers. */
async function startServing(...args: string[]) {
  const { child, ended } = start(["serve", "--port", "0", ...args]);
  const [line] = (await Promise.race([once(child.stdout, "data"), ended.then((end) => { throw new Error(end.stderr); })])) as [Buffer];
  return { child, ended, line: line.toString() };
}

describe("usage", () => {
  it("--help names every subcommand, --version the version, both with exit code 0", async () => {
    const help = await run("--help");
    expect(help.code).toBe(0);
    for (const name of ["agent", "serve", "generate", "stream-client", "function-call", "transcribe", "voice", "watch", "mcp", "replay", "export", "convert", "doctor", "models"]) expect(help.stdout).toMatch(new RegExp(`^  ${name} `, "m"));
    expect(await run("--version")).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string });
    expect(await run("serve", "--help")).toMatchObject({ code: 0, stdout: expect.stringContaining("--port") as string });
  });

  it.each([
    [[]],
    [["dance"]],
    [["serve", "--prot", "1"]],
    [["serve", "--port", "eighty"]],
    [["serve", "--port", "70000"]],
    [["serve", "--max-memory", "much"]],
    [["serve", "--prefix-cache", "half"]],
    [["serve", "--prefix-cache-dir", "somewhere"]],
    [["serve", "--idle-timeout", "3 days"]],
    [["serve", "--alias", "gpt-4o"]],
    [["serve", "--alias", "gpt-4o=qwen"]],
    [["serve", "extra"]],
    [["generate"]],
    [["generate", "--prompt", "x", "--max-tokens", "0"]],
    [["generate", "--prompt", "x", "--temp", "hot"]],
    [["generate", "--prompt", "x", "--seed", "-1"]],
    [["stream-client"]],
    [["stream-client", "--prompt", "x", "--server", "nowhere"]],
    [["function-call", "--format", "soap"]],
    [["transcribe", "--model", "x"]],
    [["transcribe", "--model", "x", "sound.wav", "--format", "doc"]],
    [["watch"]],
    [["watch", "--model", "qwen", "--every", "often"]],
    [["watch", "--model", "qwen", "--on-change", "200"]],
    [["agent"]],
    [["replay"]],
    [["replay", "nowhere"]],
    [["replay", "run", "--parse", "--model", "tiny"]],
    [["replay", "run", "--report", "here.json"]],
    [["export", "run"]],
    [["export", "nowhere", "--out", "run.gif"]],
    [["export", "run", "--out", "run.gif", "--pace", "0"]],
    [["mcp", "--capabilities", "nowhere.yaml"]],
    [["mcp", "--http", "--port", "99999"]],
    [["mcp", "--pictures", "never"]],
    [["mcp", "--keep-model", "long"]],
    [["mcp", "--planner", "tiny"]],
  ])("bad usage ends with 2 and says so on stderr: %j", async (args) => {
    const { code, stdout, stderr } = await run(...args);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/^(error: |Usage: deskhand)/);
  });

  it.each([[["generate", "--model", "nobody/nothing", "--prompt", "x"]], [["serve", "--model", "nobody/nothing", "--port", "0"]]])("a failure ends with 1 and one line: %j", async (args) => {
    const { code, stdout, stderr } = await run(...args);
    expect(code).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/^error: .*nobody\/nothing.*\n$/);
  });
});

describe("serve", () => {
  it("prints where it listens once it answers, and ends with 0 on SIGTERM and SIGINT", async () => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      const { child, ended, line } = await startServing();
      const url = /^listening on (http:\/\/127\.0\.0\.1:\d+)\n$/.exec(line)?.[1];
      const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0 });
      const answer = await client.chat.completions.create({ model: "tiny", messages: [{ role: "user", content: "hello" }], max_tokens: 1 });
      expect(answer.usage?.completion_tokens).toBe(1);
      child.kill(signal);
      expect((await ended).code).toBe(0);
    }
  });

  it("ends with 1 when the port is in use, naming it and the way out", async () => {
    const holder = createServer().listen(0, "127.0.0.1");
    await once(holder, "listening");
    const { port } = holder.address() as AddressInfo;
    const { code, stderr } = await run("serve", "--port", String(port));
    holder.close();
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`error: Port ${port} on 127\\.0\\.0\\.1 is in use\\. .*choose another port`));
  });
});

describe("generate", () => {
  const args = ["generate", "--model", "tiny", "--prompt", "press OK", "--temp", "0", "--max-tokens", "8"];

  it("prints the same text streamed and as JSON, whose fields agree with each other", async () => {
    const streamed = await run(...args);
    const json = await run(...args, "--json");
    expect([streamed.code, json.code]).toEqual([0, 0]);
    expect(json.stdout.split("\n")).toHaveLength(2);
    const output = JSON.parse(json.stdout) as Record<"text" | "finish_reason", string> & { token_ids: number[]; usage: Record<string, number>; timings: Record<string, number> };
    expect(Object.keys(output)).toEqual(["text", "reasoning", "token_ids", "finish_reason", "usage", "timings"]);
    expect(streamed.stdout).toBe(`${output.text}\n`);
    expect(output.usage["completion_tokens"]).toBe(output.token_ids.length);
    expect(output.usage["total_tokens"]).toBe((output.usage["prompt_tokens"] ?? 0) + output.token_ids.length);
    expect(["stop", "length"]).toContain(output.finish_reason);
    expect(Object.keys(output.timings)).toEqual(["process_ms", "prefill_ms", "decode_ms"]);
  });

  it("prints the answer alone, thinking only as JSON where there is no terminal", async () => {
    const model = join(home, "thinks");
    await cp(fileURLToPath(new URL("../golden/fixtures/qwen3/model", import.meta.url)), model, { recursive: true });
    await writeFile(join(model, "chat_template.jinja"), "<|im_start|>user\npress OK<|im_end|>\n<|im_start|>assistant\n<think>\n");
    const more = ["generate", "--model", model, "--prompt", "press OK", "--temp", "0", "--max-tokens", "8"];
    expect(await run(...more)).toMatchObject({ code: 0, stdout: "\n", stderr: "" });
    const { text, reasoning } = JSON.parse((await run(...more, "--json")).stdout) as Record<"text" | "reasoning", string>;
    expect(text).toBe("");
    expect(reasoning).not.toBe("");
  });

  it("sends a raw prompt without the chat template, so with fewer tokens", async () => {
    const tokens = async (...more: string[]) => (JSON.parse((await run(...args, "--json", ...more)).stdout) as { usage: { prompt_tokens: number } }).usage.prompt_tokens;
    expect(await tokens("--raw")).toBeLessThan(await tokens());
  });

  it("asks about a video, and says what is wrong with one", async () => {
    const fixtures = fileURLToPath(new URL("../golden/fixtures/", import.meta.url));
    const ask = (...more: string[]) => run("generate", "--model", `${fixtures}llava/model`, "--prompt", "What is it?", "--max-tokens", "1", "--json", ...more);
    const tokens = async (...more: string[]) => (JSON.parse((await ask(...more)).stdout) as { usage: { prompt_tokens: number } }).usage.prompt_tokens;
    const [none, one] = [await tokens(), await tokens("--image", `${fixtures}pictures/gradient-96x64.png`)];
    // A picture a frame: two a second of its three, then fewer of them.
    const video = ["--video", `${fixtures}videos/steady.mkv`];
    expect(await tokens(...video)).toBe(none + 6 * (one - none));
    expect(await tokens(...video, "--video-fps", "1")).toBe(none + 3 * (one - none));
    expect(await tokens(...video, "--video-max-frames", "2")).toBe(none + 2 * (one - none));
    expect(await ask("--video", "/nowhere/missing.mp4")).toMatchObject({ code: 1, stderr: expect.stringMatching(/^error: .*missing\.mp4.*there is no such file/m) as string });
    expect((await ask(...video, "--video-fps", "0")).code).toBe(2);
  });

  it("names a picture that is not there", async () => {
    const { code, stderr } = await run(...args, "--image", "/nowhere/missing.png");
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: .*\/nowhere\/missing\.png/m);
  });

  it("asks about one sound or several", async () => {
    const fixtures = fileURLToPath(new URL("../golden/fixtures/", import.meta.url));
    const tokens = async (...names: string[]) => {
      const sounds = names.flatMap((name) => ["--audio", `${fixtures}sounds/${name}.wav`]);
      const { stdout, code } = await run("generate", "--model", `${fixtures}qwen2-5-omni/model`, "--prompt", "What is it?", "--max-tokens", "1", "--json", ...sounds);
      expect(code).toBe(0);
      return (JSON.parse(stdout) as { usage: { prompt_tokens: number } }).usage.prompt_tokens;
    };
    // 91 and 37 frames: 23 and 9 rows, between marks of the beginning and the end.
    const none = await tokens();
    expect(await tokens("sweep")).toBe(none + 25);
    expect(await tokens("sweep", "beeps")).toBe(none + 36);
  });

  it("says that a model does not hear, and names a sound that is not there", async () => {
    const deaf = await run(...args, "--audio", "voice.wav");
    expect(deaf.code).toBe(1);
    expect(deaf.stderr).toMatch(/^error: .*text and pictures only but received a sound/m);
    const model = fileURLToPath(new URL("../golden/fixtures/qwen2-5-omni/model", import.meta.url));
    const missing = await run("generate", "--model", model, "--prompt", "x", "--audio", "/nowhere/missing.wav");
    expect(missing.code).toBe(1);
    expect(missing.stderr).toMatch(/^error: .*\/nowhere\/missing\.wav/m);
  });

  it("is no failure when its reader leaves early", async () => {
    const { child, ended } = start(["generate", "--prompt", "hello", "--max-tokens", "200", "--temp", "1"]);
    child.stdout.once("data", () => child.stdout.destroy());
    expect(await ended).toMatchObject({ code: 0, stderr: expect.not.stringContaining("EPIPE") as string });
  });
});

describe("transcribe", () => {
  const fixture = (name: string): string => fileURLToPath(new URL(`../golden/fixtures/${name}`, import.meta.url));
  const transcribe = (...more: string[]) => run("transcribe", "--model", fixture("whisper/model"), fixture("transcribe/sound.wav"), "--temp", "0", "--language", "en", ...more);
  type Json = { text: string; language: string; duration: number; segments: { text: string; start: number; end: number; tokens: number[]; avg_logprob: number; words?: { word: string; start: number; end: number }[] }[] };

  it("prints text by the line, JSON in OpenAI's names, and subtitles that tell the same", async () => {
    const [plain, json, srt, vtt] = await Promise.all([transcribe(), transcribe("--format", "json", "--words"), transcribe("--format", "srt"), transcribe("--format", "vtt", "--words")]);
    expect([plain, json, srt, vtt].map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    const output = JSON.parse(json.stdout) as Json;
    expect(output).toMatchObject({ language: "en", duration: 3.3 });
    expect(plain.stdout.trimEnd().split("\n")).toHaveLength(output.segments.length);
    expect(srt.stdout.match(/^\d\d:\d\d:\d\d,\d{3} --> \d\d:\d\d:\d\d,\d{3}$/gm)).toHaveLength(output.segments.length);
    expect(vtt.stdout).toMatch(/^WEBVTT\n\n00:00:\d\d\.\d{3} --> 00:00:\d\d\.\d{3}\n/);
    expect(output.segments[0]!.words!.map(({ word }) => word).join("")).toBe(output.segments[0]!.text);
  });

  it("hears with the embedded model unless told otherwise", async () => {
    expect(await run("transcribe", fixture("embedded/sounds/us-press.wav"))).toMatchObject({ code: 0, stdout: "Press the Save button.\n" });
  });

  it("asks for English when told to", async () => {
    const [same, translated] = await Promise.all([transcribe("--format", "json"), transcribe("--format", "json", "--translate")]);
    expect([same.code, translated.code]).toEqual([0, 0]);
    // A model of random weights may choose the same words, but not with the same probability.
    const sureness = (json: string): number => (JSON.parse(json) as Json).segments[0]!.avg_logprob;
    expect(sureness(translated.stdout)).not.toBe(sureness(same.stdout));
  });

  it("says which command a model is for, and which file is missing", async () => {
    expect(await run("generate", "--model", fixture("whisper/model"), "--prompt", "x")).toMatchObject({ code: 1, stderr: expect.stringContaining("deskhand transcribe") as string });
    expect(await run("transcribe", "--model", "tiny", "x.wav")).toMatchObject({ code: 1, stderr: expect.stringContaining("load()") as string });
    expect(await run("transcribe", "--model", fixture("whisper/model"), "/nowhere/x.wav")).toMatchObject({ code: 1, stderr: expect.stringContaining("/nowhere/x.wav") as string });
  });
});

describe("models", () => {
  it("lists the shipped model, what the cache holds, and what an alias would download", async () => {
    const snapshot = join(home, "hub", "models--acme--Pocket-VL", "snapshots", "abc123");
    await mkdir(snapshot, { recursive: true });
    await writeFile(join(snapshot, "config.json"), JSON.stringify({ model_type: "qwen3_vl", quantization: { bits: 4, group_size: 64 } }));
    await writeFile(join(snapshot, "model.safetensors"), Buffer.alloc(1000));
    await writeFile(join(snapshot, "tokenizer.json"), "{}");
    const json = await run("models", "--json");
    expect(json.code).toBe(0);
    const models = JSON.parse(json.stdout) as { id: string }[];
    expect(models.find(({ id }) => id === "tiny")).toMatchObject({ cached: true, model_type: "qwen3_vl" });
    expect(models.find(({ id }) => id === "acme/Pocket-VL")).toMatchObject({ cached: true, model_type: "qwen3_vl", quantization: "4-bit" });
    expect(models.find(({ id }) => id === "mlx-community/Qwen3-VL-4B-Instruct-4bit")).toMatchObject({ cached: false, aliases: ["qwen"] });
    const table = await run("models");
    expect(table.stdout).toMatch(/^MODEL +ALIAS +TYPE +SIZE +QUANTISED$/m);
    expect(table.stdout).toMatch(/^acme\/Pocket-VL +- +qwen3_vl +[\d.]+ MB +4-bit$/m);
    expect(table.stdout).toMatch(/^mlx-community\/Qwen3-VL-4B-Instruct-4bit +qwen +- +not downloaded/m);
  });
});
