import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import OpenAI, { toFile } from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ProcessEngine } from "../../src/engine/host/process-engine.js";
import type { TranscriptionEvent, TranscriptionRequest } from "../../src/engine/inference.js";
import { ScriptedEngine } from "../../src/engine/scripted-engine.js";
import { loadTranscriber, type Transcript } from "../../src/index.js";
import { serve, type RunningServer } from "../../src/server/start.js";
import { Transcription, TranscriptionStreamEvent, VerboseTranscription } from "../../src/server/schemas/transcription-answer.js";
import { ENGINE_PROGRAM, HELLO, localServer, scriptedApp, until } from "./support.js";

const FIXTURES = fileURLToPath(new URL("../golden/fixtures/", import.meta.url));
const HEAR = { tasks: ["transcribe"] as const, id: "ear", audio: true, vision: false };

const transcript: Transcript = {
  text: "Good day. And good bye.",
  language: "de",
  durationS: 3.4,
  segments: [
    { id: 0, seek: 0, start: 0, end: 1.5, text: " Good day. ", tokenIds: [1, 2], temperature: 0, avgLogprob: -0.1, compressionRatio: 1.1, noSpeechProb: 0.2, words: [{ word: " Good", start: 0, end: 0.5, probability: 1 }, { word: " day.", start: 0.5, end: 1.5, probability: 1 }] },
    { id: 1, seek: 150, start: 1.5, end: 3.4, text: "And good bye.", tokenIds: [3], temperature: 0, avgLogprob: -0.2, compressionRatio: 1, noSpeechProb: 0.1, words: [{ word: "And", start: 1.5, end: 3.4, probability: 1 }] },
  ],
};

async function* say(): AsyncGenerator<TranscriptionEvent> {
  for (const segment of transcript.segments) yield { type: "segment", segment };
  yield { type: "transcript", transcript };
}

/** A form as any client sends it. */
function form(fields: Record<string, string | string[]>, file: Uint8Array | null = Buffer.from("sound"), filename = "a.wav"): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) for (const one of [value].flat()) data.append(name, one);
  if (file !== null) data.append("file", new Blob([new Uint8Array(file)]), filename);
  return data;
}

async function scripted(hear: (request: TranscriptionRequest) => AsyncIterable<TranscriptionEvent> = say, options: Parameters<typeof serve>[0] = {}) {
  const heard: TranscriptionRequest[] = [];
  const engine = new ScriptedEngine([], { info: HEAR, hear: (request) => (heard.push(request), hear(request)) });
  const server = await serve({ engine, port: 0, ...options });
  const post = (data: FormData, path = "transcriptions") => fetch(`${server.url}/v1/audio/${path}`, { method: "POST", body: data });
  return { heard, engine, server, post, [Symbol.asyncDispose]: () => server.close() };
}

describe("what a transcription is asked and answered", () => {
  it("json by default, and text", async () => {
    await using app = await scripted();
    const json = await app.post(form({ model: "ear", language: "de", prompt: "Names", temperature: "0.3" }));
    expect(Transcription.parse(await json.json())).toEqual({ text: transcript.text, usage: { type: "duration", seconds: 4 } });
    expect(app.heard[0]).toMatchObject({ language: "de", prompt: "Names", temperature: 0.3, task: "transcribe", wordTimestamps: false });
    expect(Buffer.from(app.heard[0]!.sound).toString()).toBe("sound");
    const text = await app.post(form({ response_format: "text", temperature: "0" }));
    expect(text.headers.get("content-type")).toMatch(/^text\/plain/);
    expect(await text.text()).toBe(`${transcript.text}\n`);
    expect(app.heard[1]?.temperature).toBeUndefined();
  });

  it("verbose_json with segments, words, or both", async () => {
    await using app = await scripted();
    const ask = async (...times: string[]) => VerboseTranscription.parse(await (await app.post(form({ response_format: "verbose_json", "timestamp_granularities[]": times }))).json());
    const segments = await ask();
    expect(segments).toMatchObject({ task: "transcribe", language: "german", duration: 3.4, text: transcript.text });
    expect(segments.segments?.[1]).toEqual({ id: 1, seek: 150, start: 1.5, end: 3.4, text: "And good bye.", tokens: [3], temperature: 0, avg_logprob: -0.2, compression_ratio: 1, no_speech_prob: 0.1 });
    expect(segments.words).toBeUndefined();
    const words = await ask("word");
    expect(words.segments).toBeUndefined();
    expect(words.words?.map(({ word }) => word)).toEqual(["Good", "day.", "And"]);
    const both = await ask("segment", "word");
    expect([both.segments?.length, both.words?.length]).toEqual([2, 3]);
    expect(app.heard.map(({ wordTimestamps }) => wordTimestamps)).toEqual([false, true, true]);
  });

  it("subtitles", async () => {
    await using app = await scripted();
    expect(await (await app.post(form({ response_format: "srt" }))).text()).toBe("1\n00:00:00,000 --> 00:00:01,500\nGood day.\n\n2\n00:00:01,500 --> 00:00:03,400\nAnd good bye.\n\n");
    const vtt = await app.post(form({ response_format: "vtt" }));
    expect(vtt.headers.get("content-type")).toMatch(/^text\/vtt/);
    expect(await vtt.text()).toMatch(/^WEBVTT\n\n00:00:00\.000 --> /);
  });

  it("a translation", async () => {
    await using app = await scripted();
    const answer = await app.post(form({ response_format: "verbose_json" }), "translations");
    expect(VerboseTranscription.parse(await answer.json()).task).toBe("translate");
    expect(app.heard[0]?.task).toBe("translate");
  });

  it("a stream, whose deltas are the text", async () => {
    await using app = await scripted();
    const answer = await app.post(form({ stream: "true" }));
    expect(answer.headers.get("content-type")).toMatch(/^text\/event-stream/);
    const events = (await answer.text()).split("\n\n").filter(Boolean).map((line) => TranscriptionStreamEvent.parse(JSON.parse(line.slice("data: ".length))));
    expect(events.map((event) => (event.type === "transcript.text.delta" ? event.delta : ""))).toEqual(["Good day.", " And good bye.", ""]);
    expect(events.at(-1)).toEqual({ type: "transcript.text.done", text: transcript.text });
  });

  it("a failure on the way is the stream's last event", async () => {
    await using app = await scripted(async function* () {
      yield { type: "segment", segment: transcript.segments[0]! };
      throw new Error("broken");
    });
    const lines = (await (await app.post(form({ stream: "true" }))).text()).split("\n\n").filter(Boolean);
    expect(lines).toHaveLength(2);
    expect(JSON.parse(lines[1]!.slice("data: ".length))).toMatchObject({ error: { code: "internal", type: "server_error" } });
  });
});

describe("what cannot be heard is refused", () => {
  it.each([
    ["no file", form({}, null), 400, "file"],
    ["a field instead of a file", form({ file: "text" }, null), 400, "file"],
    ["an unknown format", form({ response_format: "doc" }), 400, "response_format"],
    ["a temperature that is none", form({ temperature: "hot" }), 400, "temperature"],
    ["times that there are none of", form({ "timestamp_granularities[]": ["letter"] }), 400, "timestamp_granularities[][0]"],
    ["a stream of subtitles", form({ stream: "true", response_format: "srt" }), 400, "stream"],
    ["probabilities", form({ "include[]": ["logprobs"] }), 400, "include[]"],
    ["another model", form({ model: "mouth" }), 404, "model"],
  ])("%s", async (_name, data, status, param) => {
    await using app = await scripted();
    const answer = await app.post(data);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ error: { param } });
    expect(app.heard).toHaveLength(0);
  });

  it("a file beyond the limit, too many fields, and what is no form", async () => {
    await using app = await scripted(say, { limits: { maxBodyBytes: 2000 } });
    const large = await app.post(form({}, Buffer.alloc(3000)));
    expect([large.status, await large.json()]).toMatchObject([413, { error: { code: "request_too_large" } }]);
    const many = await app.post(form(Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`f${i}`, "x"]))));
    expect(many.status).toBe(413);
    const json = await fetch(`${app.server.url}/v1/audio/transcriptions`, { method: "POST", headers: { "content-type": "application/json" }, body: "{}" });
    expect([json.status, await json.json()]).toMatchObject([400, { error: { param: "file" } }]);
    expect((await app.post(form({}))).status).toBe(200);
  });

  it("a model that cannot hear, and a chat with one that cannot chat", async () => {
    await using server = await scriptedApp([]);
    const data = new Response(form({ model: "scripted" }));
    const answer = await server.app.inject({ method: "POST", url: "/v1/audio/transcriptions", headers: { "content-type": data.headers.get("content-type")! }, payload: Buffer.from(await data.arrayBuffer()) });
    expect([answer.statusCode, answer.json()]).toMatchObject([400, { error: { code: "unsupported_input", param: "model", message: expect.stringContaining("cannot write down speech") as string } }]);
    await using app = await scripted();
    const chat = await fetch(`${app.server.url}/v1/chat/completions`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ ...HELLO, model: "ear" }) });
    expect([chat.status, await chat.json()]).toMatchObject([400, { error: { param: "model" } }]);
  });

  it("ends when the client leaves", async () => {
    let left = false;
    await using app = await scripted(async function* () {
      try {
        yield { type: "segment", segment: transcript.segments[0]! };
        for (;;) {
          await new Promise((resolve) => setImmediate(resolve));
          yield { type: "segment", segment: { ...transcript.segments[0]!, text: " more" } };
        }
      } finally {
        left = true;
      }
    });
    const controller = new AbortController();
    const answer = await fetch(`${app.server.url}/v1/audio/transcriptions`, { method: "POST", body: form({ stream: "true" }), signal: controller.signal });
    await answer.body?.getReader().read();
    controller.abort();
    await until(() => left);
    const health = async () => ((await (await fetch(`${app.server.url}/health`)).json()) as { requests: number }).requests;
    while ((await health()) > 0);
  });
});

describe("a Whisper model in a process of its own, asked by the official client", () => {
  const MODEL = join(FIXTURES, "whisper/model");
  const SOUND = join(FIXTURES, "transcribe/sound.wav");
  let server: RunningServer;
  let client: OpenAI;
  let expected: Transcript;
  beforeAll(async () => {
    server = await serve({ engine: new ProcessEngine(MODEL, { program: ENGINE_PROGRAM }), model: "whisper-1", port: 0 });
    client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none", maxRetries: 0 });
    await using transcriber = await loadTranscriber(MODEL);
    expected = await transcriber.transcribe(SOUND, { language: "en", temperature: 0.0001, seed: 1, wordTimestamps: true });
  });
  afterAll(() => server.close());
  // A random model is never sure: one temperature, hardly above 0, keeps it from trying others.
  const asked = async () => ({ file: await toFile(await readFile(SOUND), "../../etc/passwd.wav"), model: "whisper-1", language: "en", temperature: 0.0001 });

  it("hears what the library hears, whole and streamed", async () => {
    const answer = await client.audio.transcriptions.create({ ...(await asked()), response_format: "verbose_json", timestamp_granularities: ["segment", "word"] });
    expect(answer.text).toBe(expected.text);
    expect(answer.segments?.map(({ start, end, text }) => ({ start, end, text }))).toEqual(expected.segments.map(({ start, end, text }) => ({ start, end, text })));
    expect(answer.words?.map(({ start, end }) => [start, end])).toEqual(expected.segments.flatMap(({ words }) => words!.map(({ start, end }) => [start, end])));
    let text = "";
    let whole: string | undefined;
    for await (const event of await client.audio.transcriptions.create({ ...(await asked()), stream: true })) {
      if (event.type === "transcript.text.delta") text += event.delta;
      else if (event.type === "transcript.text.done") whole = event.text;
    }
    expect(whole).toBe(expected.text);
    expect(text).toBe(whole);
  });

  it.each([
    ["no sound at all", Buffer.from("this is a letter, not a song")],
    ["an empty file", Buffer.alloc(0)],
    ["a WAVE file cut short", Buffer.from("RIFF\0\0\0\0WAVE")],
  ])("refuses %s", async (_name, bytes) => {
    const error = await client.audio.transcriptions.create({ ...(await asked()), file: await toFile(bytes, "a.mp3") }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ status: 400, code: "unsupported_input", param: "file" });
  });

  it("asks nobody else: a playlist and a script lead nowhere", async () => {
    let asks = 0;
    await using elsewhere = await localServer((_request, response) => {
      asks++;
      response.end("RIFF");
    });
    const lists = [`#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n${elsewhere.url}/a.ts\n#EXT-X-ENDLIST\n`, `ffconcat version 1.0\nfile '${SOUND}'\n`, `${elsewhere.url}/a.wav`];
    for (const list of lists) {
      const error = await client.audio.transcriptions.create({ ...(await asked()), file: await toFile(Buffer.from(list), "a.m3u8") }).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ status: 400, code: "unsupported_input" });
      expect((error as Error).message).not.toContain("/tmp");
    }
    expect(asks).toBe(0);
  });
});
