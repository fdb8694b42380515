import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ModelClient } from "../../src/agent/model-client.js";
import { FrameSlot } from "../../src/agent/streams/frame-slot.js";
import { StreamWatcher, type StreamWatcherOptions } from "../../src/agent/streams/stream-watcher.js";
import { VideoStream } from "../../src/agent/streams/video-stream.js";
import type { WatchEvent } from "../../src/agent/streams/watch-events.js";
import { ProcessEngine } from "../../src/engine/host/process-engine.js";
import { serve } from "../../src/server/start.js";
import { ENGINE_PROGRAM } from "../server/support.js";
import { descendantsOf, isAlive, until } from "../support/desktop.js";
import { MjpegCamera } from "../support/mjpeg-camera.js";
import { numberedPicture, numberIn } from "../support/numbered-picture.js";
import { ScriptedServer, type ChatRequestBody, type Script, type ScriptedReply } from "./support/scripted-server.js";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const BIN = join(ROOT, "bin/deskhand.js");
const SPEECH = join(ROOT, "test/golden/fixtures/embedded/sounds/us-press.wav");
const LIMIT_MS = 60_000;
let home: string;
/** Red, then blue, then green: a second each. */
let film: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "deskhand-watch-"));
  film = join(home, "scenes.mp4");
  const scene = (color: string) => ["-f", "lavfi", "-i", `color=${color}:size=160x120:rate=10:duration=1,format=yuv420p`];
  await run("ffmpeg", ["-v", "error", ...scene("red"), ...scene("blue"), ...scene("lime"), "-filter_complex", "[0][1][2]concat=n=3", film]);
  // Whatever the checkout still has to build is built here.
  await run(process.execPath, [BIN, "--version"]);
}, 300_000);
afterAll(() => rm(home, { recursive: true }));

type Part = { type: string; text?: string; image_url?: { url: string }; input_audio?: { data: string; format: string } };
const partsOf = (request: ChatRequestBody): Part[] => request.messages.at(-1)!.content as Part[];
const picturesOf = (request: ChatRequestBody): Buffer[] => partsOf(request).flatMap((part) => (part.image_url ? [Buffer.from(part.image_url.url.replace("data:image/jpeg;base64,", ""), "base64")] : []));
const numberShownIn = async (request: ChatRequestBody): Promise<number> => numberIn(picturesOf(request).at(-1)!);
const asked = (request: ChatRequestBody): string => partsOf(request).at(-1)!.text!;

/** A watcher of frames that the test puts there, or a stream, and a scripted model. */
async function watching<T>(replies: Script, options: Partial<StreamWatcherOptions>, use: (at: { server: ScriptedServer; frames: FrameSlot; events: WatchEvent[]; watcher: StreamWatcher; end: () => Promise<void> }) => Promise<T>): Promise<T> {
  await using server = await ScriptedServer.start(replies);
  const frames = options.source?.frames ?? new FrameSlot();
  const events: WatchEvent[] = [];
  const over = new AbortController();
  const watcher = new StreamWatcher({ client: new ModelClient({ baseURL: server.url }), model: "tiny", source: { frames, ended: new Promise(() => undefined) }, onEvent: (event) => events.push(event), ...options });
  const running = watcher.run(over.signal);
  const end = async (): Promise<void> => {
    over.abort();
    await running;
  };
  try {
    return await use({ server, frames, events, watcher, end });
  } finally {
    await end();
  }
}

describe("watching", () => {
  it("shows a slow model the newest frame of a fast stream, however many came meanwhile, and keeps no other", { timeout: 3 * LIMIT_MS }, async () => {
    await using camera = await MjpegCamera.start(1);
    await using stream = await VideoStream.open(camera.url, { fps: 60 });
    let finish = (): void => undefined;
    const finished = new Promise<void>((resolve) => (finish = resolve));
    const slow = async (): Promise<ScriptedReply> => finished.then(() => ({ text: "Next." }));
    await watching(slow, { source: stream, onChange: 0.01 }, async ({ server, events }) => {
      await until("the first request", () => server.requests.length === 1, LIMIT_MS);
      for (let number = 2; number <= 60; number++) await camera.show(number);
      await until("the last number is seen", async () => (await numberIn(stream.frames.newest!.jpeg)) === 60, LIMIT_MS);
      // One request at a time, and nothing but the newest frame is kept for the next.
      expect(server.requests).toHaveLength(1);
      expect(stream.frames.dropped).toBeGreaterThan(0);
      finish();
      await until("the second answer", () => events.filter(({ type }) => type === "answer").length === 2, LIMIT_MS);
      expect([await numberShownIn(server.requests[0]!), await numberShownIn(server.requests[1]!)]).toEqual([1, 60]);
      expect(events.filter(({ type }) => type === "answer").slice(0, 2)).toMatchObject([{ trigger: "change", change: 1 }, { trigger: "change", text: "Next." }]);
    });
  });

  it("comments when the scene changes, and not when it only moves a little", async () => {
    await watching(Array<ScriptedReply>(5).fill({ text: "Seen." }), { onChange: 0.2, question: "What is new?" }, async ({ server, frames, events }) => {
      // One of sixteen blocks is 6 %, five are 31 %.
      for (const [number, requests] of [[0, 1], [1, 1], [3, 1], [31, 2], [30, 2], [0xffff, 3]] as const) {
        frames.put(await numberedPicture(number));
        await until(`${requests} answers after ${number}`, () => events.filter(({ type }) => type === "answer").length === requests);
        await until("the frame was looked at", () => frames.take() === undefined);
      }
      expect(await Promise.all(server.requests.map(numberShownIn))).toEqual([0, 31, 0xffff]);
      expect(server.requests.map(asked)).toEqual(Array(3).fill("What is new?"));
    });
  });

  it("answers questions first, in the middle of a comment; words come as they are written; too many at once are refused", async () => {
    const replies: ScriptedReply[] = [{ text: "A long com", hang: true }, ...Array<ScriptedReply>(4).fill({ text: "A red one." })];
    await watching(replies, { everyMs: 3_600_000 }, async ({ server, frames, events, watcher }) => {
      frames.put(await numberedPicture(1));
      await until("the comment has begun", () => events.some(({ type }) => type === "words"));
      frames.put(await numberedPicture(2));
      await watcher.ask("What is it?");
      expect(events.map((event) => (event.type === "words" ? event.text : event.type))).toEqual(["asking", "A long ", "com", "interrupted", "asking", "A red o", "ne.", "answer"]);
      expect(events.at(-1)).toMatchObject({ trigger: "question", question: "What is it?", text: "A red one.", frame: 2 });
      expect(await numberShownIn(server.requests[1]!)).toBe(2);
      await Promise.all(["a", "b", "c", "d", "e", "f"].map((question) => watcher.ask(question)));
      expect(events.filter(({ type }) => type === "busy").length).toBeGreaterThan(0);
      expect(server.requests.slice(2).map(asked)).toEqual(["a", "b", "c", "d"].slice(0, server.requests.length - 2));
    });
  });

  it("a model that fails at first ends it; one that fails later is asked again", async () => {
    await using broken = await ScriptedServer.start([{ status: 400, body: { error: { message: "no pictures here" } } }]);
    const frames = new FrameSlot();
    frames.put(await numberedPicture(1));
    const watcher = new StreamWatcher({ client: new ModelClient({ baseURL: broken.url }), model: "tiny", source: { frames, ended: Promise.resolve() }, onChange: 0.1 });
    await expect(watcher.run(new AbortController().signal)).rejects.toMatchObject({ code: "model_server", message: expect.stringContaining("no pictures here") as string });
    await watching([{ text: "One." }, { status: 503, body: { error: { message: "busy" } } }, { text: "Three." }], { onChange: 0.1 }, async ({ frames: own, events, watcher: again }) => {
      own.put(await numberedPicture(1));
      await until("the first answer", () => events.some(({ type }) => type === "answer"));
      await again.ask("And now?");
      expect(events.at(-1)).toMatchObject({ type: "failed", message: expect.stringContaining("busy") as string });
      await again.ask("And now?");
      expect(events.at(-1)).toMatchObject({ type: "answer", text: "Three." });
    });
  });
});

/** A command in a process of its own, with what it printed so far. */
function start(args: string[], options: { input?: string; example?: string } = {}) {
  const program = options.example === undefined ? [BIN, "watch"] : ["--import", "tsx", join(ROOT, "examples", options.example)];
  const child = spawn(process.execPath, [...program, ...args], { cwd: ROOT, stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"] });
  child.stdin?.end(options.input);
  const printed = { stdout: "" };
  child.stdout!.on("data", (chunk: Buffer) => (printed.stdout += chunk.toString()));
  const ended = Promise.all([once(child, "close") as Promise<[number | null]>, text(child.stderr!)]).then(([[code], stderr]) => ({ code, stderr, stdout: printed.stdout }));
  return { child, printed, ended };
}

const LINES = (stdout: string): { type: string; [field: string]: unknown }[] => stdout.trimEnd().split("\n").map((line) => JSON.parse(line) as { type: string });

describe("deskhand watch", () => {
  it("comments on the scenes of a film, and ends with it", async () => {
    await using server = await ScriptedServer.start(Array<ScriptedReply>(20).fill({ text: "A colour." }));
    const { code, stdout, stderr } = await start([film, "--base-url", server.url, "--question", "Which colour?"]).ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/^watching .*scenes\.mp4; type a question, Ctrl-C ends\n$/) as string });
    expect(stdout).toBe("A colour.\n".repeat(server.requests.length));
    // The first and the last scene are always seen; the one between by a model that is quick enough.
    expect(server.requests.length).toBeGreaterThanOrEqual(2);
    expect(asked(server.requests[0]!)).toBe("Which colour?");
  });

  it("answers what is piped to it, in lines of JSON", async () => {
    await using server = await ScriptedServer.start([{ text: "Red." }, { text: "No." }]);
    const { code, stdout } = await start([film, "--base-url", server.url, "--ask-only", "--json"], { input: "Which colour?\n\nIs it day?\n" }).ended;
    expect(code).toBe(0);
    expect(LINES(stdout).map(({ type, text: words, trigger }) => [type, trigger, words])).toEqual([["watching", undefined, undefined], ["asking", "question", undefined], ["answer", "question", "Red."], ["asking", "question", undefined], ["answer", "question", "No."]]);
    expect(server.requests.map(asked)).toEqual(["Which colour?", "Is it day?"]);
  });

  it.each(["SIGINT", "SIGTERM", "SIGKILL"] as const)("leaves no ffmpeg behind on %s, in the middle of an answer", async (signal) => {
    await using camera = await MjpegCamera.start(1);
    await using server = await ScriptedServer.start([{ text: "It is a sunny", hang: true }]);
    const { child, printed, ended } = start([camera.url, "--base-url", server.url]);
    await until("the answer has begun", () => printed.stdout.includes("sunny"), LIMIT_MS);
    const helpers = descendantsOf(child.pid!);
    expect(helpers.length).toBeGreaterThan(0);
    child.kill(signal);
    expect((await ended).code).toBe(signal === "SIGKILL" ? null : 0);
    await server.left;
    await until("all of its processes have ended", () => !helpers.some(isAlive), LIMIT_MS);
  });

  it("ends after --max-seconds, and says what is missing", async () => {
    await using camera = await MjpegCamera.start(1);
    await using server = await ScriptedServer.start([{ text: "It is", hang: true }]);
    const limited = await start([camera.url, "--base-url", server.url, "--max-seconds", "0.5", "--json"]).ended;
    expect({ code: limited.code, stderr: limited.stderr }).toEqual({ code: 0, stderr: "" });
    expect(LINES(limited.stdout)[0]).toEqual({ type: "watching", source: camera.url.replace("viewer:open-sesame@", "") });
    expect(await start([camera.url]).ended).toMatchObject({ code: 2, stderr: expect.stringContaining("--model qwen") as string });
    expect(await start(["camera:roof", "--base-url", server.url]).ended).toMatchObject({ code: 1, stderr: expect.stringContaining('Expected the camera "roof" but') as string });
    expect(await start(["--list"]).ended).toMatchObject({ code: 0 });
  });

  it("gives a model that hears the sound and the newest pictures in one request", async () => {
    await using server = await ScriptedServer.start([{ text: "I heard you." }]);
    const { code, stdout } = await start([film, "--base-url", server.url, "--omni", "--sound", SPEECH, "--ask-only"]).ended;
    expect({ code, stdout }).toEqual({ code: 0, stdout: "I heard you.\n" });
    expect(partsOf(server.requests[0]!).map(({ type }) => type)).toEqual(["image_url", "input_audio", "text"]);
    const { data, format } = partsOf(server.requests[0]!)[1]!.input_audio!;
    expect([format, Buffer.from(data, "base64").toString("latin1", 0, 4)]).toEqual(["wav", "RIFF"]);
  });
});

describe("the examples", () => {
  it("camera.ts tells of a film what the model says", async () => {
    await using server = await ScriptedServer.start(Array<ScriptedReply>(20).fill({ text: "A colour." }));
    const { code, stdout, stderr } = await start([film, server.url], { example: "camera.ts" }).ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toBe("A colour.\n".repeat(server.requests.length));
    expect(picturesOf(server.requests[0]!)).toHaveLength(1);
  });

  it("omni.ts speaks with a model that sees and hears, on our own server", async () => {
    await using server = await serve({ engine: new ProcessEngine(join(ROOT, "test/golden/fixtures/qwen2-5-omni/model"), { program: ENGINE_PROGRAM }), port: 0 });
    const { code, stdout, stderr } = await start([server.url, film, SPEECH], { example: "omni.ts" }).ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    // What random weights say is anything; the line ends when the answer has, and a request that the server refuses ends the example with 1.
    expect(stdout).toMatch(/\n$/);
  });
});
