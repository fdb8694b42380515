import { execFile } from "node:child_process";
import { chmod, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import OpenAI from "openai";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { findProgram } from "../../src/core/programs.js";
import { loadTranscriber } from "../../src/index.js";
import { SOUND_FORMATS } from "../../src/server/speech/sound-formats.js";
import { serve, type RunningServer } from "../../src/server/start.js";
import { ScriptedEngine } from "../../src/engine/scripted-engine.js";
import { isAlive, until } from "./support.js";

const run = promisify(execFile);
const TEXT = "Press the Save button.";
const HEAR = new URL("../../models/hear", import.meta.url).pathname;

let server: RunningServer;
let client: OpenAI;
let dir: string;
const path = process.env["PATH"];
beforeAll(async () => {
  server = await serve({ engine: new ScriptedEngine([]), port: 0 });
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none", maxRetries: 0 });
  dir = await mkdtemp(join(tmpdir(), "speech-test-"));
});
afterEach(() => void (process.env["PATH"] = path));
afterAll(async () => {
  await server.close();
  await rm(dir, { recursive: true });
});

const say = (fields: Partial<OpenAI.Audio.SpeechCreateParams> = {}) => client.audio.speech.create({ model: "system", voice: "default", input: TEXT, response_format: "wav", ...fields });
const saved = async (name: string, fields: Partial<OpenAI.Audio.SpeechCreateParams>) => {
  const file = join(dir, name);
  const answer = await say(fields);
  await writeFile(file, Buffer.from(await answer.arrayBuffer()));
  return { file, type: answer.headers.get("content-type") };
};
const RAW = ["-f", "s16le", "-ar", "24000", "-ac", "1"];
/** The codec that ffprobe finds, and how long the sound is that ffmpeg decodes. */
const probe = async (file: string, ...how: string[]) => {
  const { stdout: codec } = await run("ffprobe", ["-v", "error", ...how, "-show_entries", "stream=codec_name", "-of", "csv=p=0", file]);
  const { stdout: samples } = await run("ffmpeg", ["-v", "error", ...how, "-i", file, ...RAW, "pipe:1"], { encoding: "buffer", maxBuffer: 2 ** 24 });
  return { codec: codec.trim(), seconds: samples.length / 48_000 };
};

describe("a text", () => {
  it("is said so that the embedded model that hears understands it", async () => {
    const { file } = await saved("heard.wav", { voice: "en-us" });
    await using ear = await loadTranscriber(HEAR);
    expect((await ear.transcribe(file)).text.toLowerCase()).toContain("save button");
  });

  it.each(SOUND_FORMATS)("comes as %s, as long as it is as a WAVE file", async (format) => {
    const { seconds } = await probe((await saved("whole.wav", {})).file);
    const { file, type } = await saved(`speech.${format}`, { response_format: format });
    const found = await probe(file, ...(format === "pcm" ? RAW : []));
    const codecs = { mp3: "mp3", opus: "opus", aac: "aac", flac: "flac", wav: "pcm_s16le", pcm: "pcm_s16le" };
    const types = { mp3: "audio/mpeg", opus: "audio/ogg", aac: "audio/aac", flac: "audio/flac", wav: "audio/wav", pcm: "audio/pcm" };
    expect([found.codec, type]).toEqual([codecs[format], types[format]]);
    // Encoders fill their last frame, and some begin with one of silence.
    expect(Math.abs(found.seconds - seconds)).toBeLessThan(0.15);
  });

  it("is said faster and in another voice", async () => {
    const usual = await probe((await saved("usual.wav", {})).file);
    const fast = await probe((await saved("fast.wav", { speed: 2 })).file);
    expect(fast.seconds / usual.seconds).toBeLessThan(0.75);
    const [one, other] = [(await saved("one.wav", { voice: "en-us" })).file, (await saved("other.wav", { voice: "en-us+f3" })).file];
    expect((await readFile(one)).equals(await readFile(other))).toBe(false);
  });
});

describe("refused", () => {
  it.each([
    ["a model", { model: "tts-1" }, 404, "model", 'expected the model "system", received "tts-1"'],
    ["a voice", { voice: "nobody" }, 400, "voice", "espeak-ng --voices"],
    ["a voice that is a path", { voice: "../../etc/passwd" }, 400, "voice", "name of a voice"],
    ["a voice that is an option", { voice: "-w/tmp/x" }, 400, "voice", "name of a voice"],
    ["no text", { input: "" }, 400, "input", "not empty"],
    ["a long text", { input: "a".repeat(4097) }, 400, "input", "at most 4096"],
    ["a speed", { speed: 4 }, 400, "speed", "from 0.5 to 2.5"],
    ["instructions", { instructions: "Sing it." }, 400, "instructions", "cannot follow"],
    ["a stream", { stream_format: "sse" as const }, 400, "stream_format", "not streamed"],
  ])("%s", async (_name, fields, status, param, message) => {
    expect(await say(fields).catch((error: unknown) => error)).toMatchObject({ status, param, message: expect.stringContaining(message) as string });
  });

  it("is what a system without a voice cannot do, and a format without ffmpeg", async () => {
    const voice = findProgram("espeak-ng")!;
    process.env["PATH"] = dir;
    expect(await say().catch((error: unknown) => error)).toMatchObject({ status: 501, message: expect.stringContaining("apt install espeak-ng") as string });
    await symlink(voice, join(dir, "espeak-ng"));
    expect(await say({ response_format: "mp3" }).catch((error: unknown) => error)).toMatchObject({ status: 500, code: "dependency_missing", message: expect.stringContaining('response_format "wav"') as string });
    expect((await say()).status).toBe(200);
    await rm(join(dir, "espeak-ng"));
  });
});

it("leaves no process and no file when the client leaves, and speaks for the next one", async () => {
  const pidFile = join(dir, "pid");
  const program = join(dir, "espeak-ng");
  await writeFile(program, `#!/bin/sh\necho $$ > ${pidFile}\nexec /bin/sleep 60\n`);
  await chmod(program, 0o755);
  process.env["PATH"] = dir;
  const leaving = new AbortController();
  const asked = client.audio.speech.create({ model: "system", voice: "default", input: TEXT }, { signal: leaving.signal }).catch((error: unknown) => error);
  let pid = 0;
  for (; pid === 0; pid = Number(await readFile(pidFile, "utf8").catch(() => "0"))) await new Promise(setImmediate);
  leaving.abort();
  expect(await asked).toBeInstanceOf(OpenAI.APIUserAbortError);
  await until(() => !isAlive(pid));
  process.env["PATH"] = path;
  expect((await say()).status).toBe(200);
  expect((await readdir(tmpdir())).filter((name) => name.startsWith("deskhand-speech-"))).toEqual([]);
});
