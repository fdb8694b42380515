import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { controlIn, yesOrNo } from "../../src/agent/voice/commands.js";
import { openMicrophone } from "../../src/agent/voice/microphone.js";
import { PushToTalk } from "../../src/agent/voice/push-to-talk.js";
import { openSoundFile, openSoundStream } from "../../src/agent/voice/recorded-sound.js";
import { RATE, joined, toWave } from "../../src/agent/voice/samples.js";
import type { SoundSource } from "../../src/agent/voice/sound-source.js";
import { SpeechDetector } from "../../src/agent/voice/speech-detector.js";
import { VoiceControl, type VoiceControlOptions, type VoiceEvent } from "../../src/agent/voice/voice-control.js";
import { withAgent } from "./support/run-agent.js";
import { tinyReply } from "./support/replies.js";
import type { ScriptedReply } from "./support/scripted-server.js";

const sound = (name: string): string => fileURLToPath(new URL(`../golden/fixtures/embedded/sounds/${name}.wav`, import.meta.url));
/** The recordings' headers are the plain 44 bytes. */
const samplesOf = async (name: string): Promise<Int16Array> => decode((await readFile(sound(name))).subarray(44));
const decode = (bytes: Buffer): Int16Array => Int16Array.from({ length: bytes.length >> 1 }, (_, i) => bytes.readInt16LE(2 * i));
const silence = (seconds: number): Int16Array => new Int16Array(seconds * RATE);
/** White, of this amplitude, the same every time. */
const noise = (seconds: number, amplitude: number): Int16Array => Int16Array.from({ length: seconds * RATE }, (_, i) => ((Math.abs(Math.sin(i * 12.9898 + i * i * 0.013) * 43758.5453) % 1) - 0.5) * 2 * amplitude);
const sum = (a: Int16Array, b: Int16Array): Int16Array => a.map((sample, i) => sample + (b[i] ?? 0));

function detect(samples: Int16Array, piece = 1024): Int16Array[] {
  const detector = new SpeechDetector();
  const found: Int16Array[] = [];
  for (let at = 0; at < samples.length; at += piece) found.push(...detector.push(samples.subarray(at, at + piece)));
  return [...found, ...detector.end()];
}

async function read(source: SoundSource): Promise<Int16Array> {
  const parts: Int16Array[] = [];
  for await (const part of source.samples) parts.push(part);
  return joined(parts);
}

describe("what is speech", () => {
  it.each(["us-press", "british-press", "scottish-press", "held-out-open", "us-stop"])("is found whole, with what comes before it, in silence, hum and noise: %s", async (name) => {
    const speech = await samplesOf(name);
    const first = speech.findIndex((sample) => Math.abs(sample) > 500) / RATE;
    const spoken = speech.findLastIndex((sample) => Math.abs(sample) > 500) / RATE - first;
    const hum = Int16Array.from({ length: speech.length + 4 * RATE }, (_, i) => 2000 * Math.sin((2 * Math.PI * 50 * i) / RATE));
    const alone = joined([silence(2), speech, silence(2)]);
    for (const heard of [alone, sum(alone, hum), sum(alone, noise(alone.length / RATE, 150))]) {
      const found = detect(heard);
      expect(found).toHaveLength(1);
      expect(found[0]!.length / RATE).toBeGreaterThan(spoken);
      expect(found[0]!.length / RATE).toBeLessThan(spoken + 2);
    }
  });

  it("does not depend on how the sound is cut up", async () => {
    const all = joined([silence(1), await samplesOf("us-press"), silence(1.5), await samplesOf("us-stop"), silence(1)]);
    const found = detect(all);
    expect(found).toHaveLength(2);
    for (const piece of [97, 319, 320, 5000, all.length]) expect(detect(all, piece)).toEqual(found);
  });

  it("is neither silence nor steady noise, and never longer than Whisper hears", () => {
    expect(detect(silence(5))).toEqual([]);
    expect(detect(noise(8, 3000))).toEqual([]);
    const shouting = Int16Array.from({ length: 70 * RATE }, (_, i) => (i % RATE < 0.6 * RATE ? 8000 * Math.sin(i) : 0));
    for (const part of detect(shouting)) expect(part.length).toBeLessThanOrEqual(30 * RATE);
  });

  it("is what lies between two presses of the key, and a little before", async () => {
    const talk = new PushToTalk();
    const speech = await samplesOf("us-press");
    expect(talk.push(silence(3))).toEqual([]);
    talk.toggle();
    expect([talk.talking, talk.push(speech)]).toEqual([true, []]);
    talk.toggle();
    const [found] = talk.push(silence(0.1));
    expect([...found!.slice(0.3 * RATE, 0.3 * RATE + speech.length)]).toEqual([...speech]);
    expect(talk.push(speech)).toEqual([]);
  });
});

describe("words that take hold", () => {
  it.each([
    ["Stop.", "stop"], ["stop it!", "stop"], ["Please stop now.", "stop"], ["Computer, cancel that.", "stop"], ["Stop, stop.", "stop"],
    ["Pause.", "pause"], ["Continue, please.", "resume"], ["Stop listening.", "end"], ["Goodbye.", "end"], ["Good by.", "end"],
    ["Press the Stop button.", undefined], ["Stop the music and press Save.", undefined], ["Cancel the order of Ada.", undefined],
  ] as const)("%s", (text, control) => expect(controlIn(text)).toBe(control)); // prettier-ignore

  it("takes nothing but a plain yes for a yes", () => {
    expect(["Yes.", "yes please", "Allow it."].map(yesOrNo)).toEqual([true, true, true]);
    expect(["No.", "no, not that", "Don't."].map(yesOrNo)).toEqual([false, false, false]);
    expect(["Yes and no", "Guess", "I said yes to Ada"].map(yesOrNo)).toEqual([undefined, undefined, undefined]);
  });
});

describe("sources", () => {
  let home: string;
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), "deskhand-voice-"));
  });
  afterAll(() => rm(home, { recursive: true }));
  afterEach(() => void vi.unstubAllEnvs());

  it("reads a WAVE file, a stream with a header cut anywhere, and a raw one, all the same", async () => {
    const bytes = await readFile(sound("us-press"));
    const expected = decode(bytes.subarray(44));
    await using file = await openSoundFile(sound("us-press"));
    expect(await read(file)).toEqual(expected);
    await using stream = await openSoundStream(Readable.from([bytes.subarray(0, 7), bytes.subarray(7, 45), bytes.subarray(45)]));
    expect(await read(stream)).toEqual(expected);
    await using raw = await openSoundStream(Readable.from([bytes.subarray(44, 101), bytes.subarray(101)]));
    expect(await read(raw)).toEqual(expected);
    expect(decode(toWave(expected).subarray(44))).toEqual(expected);
  });

  it("says what is wrong with a file that is none", async () => {
    await writeFile(join(home, "text.wav"), "no sound at all, only words in a file that is longer than a header");
    await using source = await openSoundFile(join(home, "text.wav"));
    await expect(read(source)).rejects.toMatchObject({ code: "unsupported_input", message: expect.stringContaining("text.wav") as string });
    await expect(openSoundFile(join(home, "none.wav"))).rejects.toMatchObject({ code: "invalid_argument" });
  });

  it("says so when no recorder is installed", () => {
    vi.stubEnv("PATH", home);
    expect(() => openMicrophone()).toThrow(expect.objectContaining({ code: "dependency_missing", message: expect.stringMatching(/arecord, rec, sox.*--input/) as string }) as Error);
  });

  it("says so when there is no microphone, in the recorder's words", async () => {
    await using source = openMicrophone({ recorder: "arecord", device: "hw:CARD=nowhere" });
    await expect(read(source)).rejects.toMatchObject({ code: "microphone_unavailable", message: expect.stringMatching(/hw:CARD=nowhere.*arecord ended: .+--device/) as string });
  });

  it("a recorder that is stopped on purpose, or vanishes, ends nothing else", async () => {
    await writeFile(join(home, "arecord"), "#!/bin/sh\nexec /bin/cat /dev/zero\n", { mode: 0o755 });
    vi.stubEnv("PATH", `${home}:${process.env["PATH"]}`);
    await using source = openMicrophone({ recorder: "arecord" });
    let heard = 0;
    for await (const part of source.samples) {
      heard += part.length;
      if (heard > RATE) break;
    }
    await source[Symbol.asyncDispose]();
    await writeFile(join(home, "arecord"), "#!/nowhere/interpreter\n", { mode: 0o755 });
    vi.stubEnv("PATH", home);
    await using vanished = openMicrophone({ recorder: "arecord" });
    await expect(read(vanished)).rejects.toMatchObject({ code: "microphone_unavailable", message: expect.stringContaining("ENOENT") as string });
  });
});

/** A microphone that gives what the test says, when it says so. */
class Room implements SoundSource {
  readonly name = "the room";
  readonly live = true;
  #say: (part: Int16Array | undefined) => void = () => undefined;
  readonly samples: AsyncIterable<Int16Array>;

  constructor() {
    const stream = new Readable({ objectMode: true, read: () => undefined });
    this.#say = (part) => void stream.push(part === undefined ? null : part);
    this.samples = stream as AsyncIterable<Int16Array>;
  }

  hear(...parts: Int16Array[]): void {
    this.#say(joined(parts));
  }

  end(): void {
    this.#say(undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.end();
  }
}

/** A session with a scripted model on a computer in memory; what is written down is scripted, what is heard is real. */
async function session<T>(replies: ScriptedReply[], written: string[], use: (room: Room, events: VoiceEvent[], control: VoiceControl, ended: Promise<boolean>) => Promise<T>, more: Partial<VoiceControlOptions> = {}): Promise<T> {
  return withAgent(replies, async ({ server, computer }) => {
    const { Agent } = await import("../../src/agent/agent.js");
    const room = new Room();
    const events: VoiceEvent[] = [];
    const home = await mkdtemp(join(tmpdir(), "deskhand-voice-"));
    const work: VoiceControlOptions["work"] = (task, hold) => new Agent({ baseURL: server.url, model: "tiny", computer, outDir: join(home, String(events.length)), ...hold }).run(task);
    const control = new VoiceControl({ work, transcribe: async () => written.shift() ?? "", segmenter: new SpeechDetector(), onEvent: (event) => events.push(event), ...more });
    try {
      return await use(room, events, control, control.run(room));
    } finally {
      await rm(home, { recursive: true });
    }
  });
}

const spoken = async (name: string): Promise<Int16Array> => joined([silence(0.5), await samplesOf(name), silence(1)]);
const DONE = tinyReply("done", { action: "terminate", status: "success" });
const find = <K extends VoiceEvent["type"]>(events: VoiceEvent[], type: K) => vi.waitFor(() => {
  const event = events.find((one): one is Extract<VoiceEvent, { type: K }> => one.type === type);
  if (!event) throw new Error(`no ${type} among ${JSON.stringify(events)}`);
  return event;
}, 20_000); // prettier-ignore

describe("a session", () => {
  it("does what it hears, and tells how it went", async () => {
    await session([DONE], ["Press the Save button."], async (room, events, _, ended) => {
      room.hear(await spoken("us-press"));
      expect((await find(events, "result")).result).toMatchObject({ success: true, stop: "terminate" });
      room.end();
      expect(await ended).toBe(true);
      expect(events.slice(0, 2)).toEqual([{ type: "heard", text: "Press the Save button." }, { type: "task", task: "Press the Save button" }]);
    });
  });

  it('hears "stop" while it acts, and obeys', async () => {
    await session([{ text: "Action: ", hang: true }], ["Press the Save button.", "Stop."], async (room, events, _, ended) => {
      room.hear(await spoken("us-press"));
      await find(events, "task");
      room.hear(await spoken("us-stop"));
      expect((await find(events, "result")).result).toMatchObject({ success: false, stop: expect.stringMatching(/^(person|aborted)$/) as string, reason: expect.stringContaining('"Stop." was said') as string });
      room.end();
      expect(await ended).toBe(false);
    });
  });

  it("lets other words wait while it acts, takes typed ones too, and ends on request", async () => {
    await session([{ text: "Action: ", hang: true }], [], async (_, events, control, ended) => {
      control.say("press Save");
      control.say("open the File menu");
      expect(await find(events, "busy")).toEqual({ type: "busy", text: "open the File menu" });
      control.say("stop listening");
      expect(await ended).toBe(false);
    });
  });

  it("says that it is paused, and why, when a person has moved the mouse, until they tell it to go on", async () => {
    let isHeld = (): void => undefined;
    const held = new Promise<void>((resolve) => (isHeld = resolve));
    const work: VoiceControlOptions["work"] = async (_, { controller, signal }) => {
      controller.pause("The mouse was moved by a person.");
      isHeld();
      await controller.pass(signal);
      return { success: true, stop: "terminate", reason: "done", steps: 1, durationMs: 1, trajectoryDir: "" };
    };
    await session([], [], async (room, events, control, ended) => {
      control.say("press Save");
      await held;
      expect(events.slice(1)).toEqual([{ type: "paused", reason: "The mouse was moved by a person." }]);
      control.say("Continue.");
      await find(events, "result");
      expect(events[2]).toEqual({ type: "resumed" });
      room.end();
      expect(await ended).toBe(true);
    }, { work }); // prettier-ignore
  });

  it("asks aloud, and takes neither a mishearing nor a no for a yes", async () => {
    const asked = tinyReply("click Delete", { action: "left_click", coordinate: [500, 500] });
    await session([asked], [], async (room, events, control, ended) => {
      control.say("press the button");
      await find(events, "question");
      control.say("guess");
      await vi.waitFor(() => expect(events.filter(({ type }) => type === "question")).toHaveLength(2));
      control.say("No.");
      expect((await find(events, "result")).result).toMatchObject({ stop: "refused", reason: expect.stringContaining("No.") as string });
      room.end();
      expect(await ended).toBe(false);
      expect(events.every(({ type }) => type !== "busy")).toBe(true);
    });
  });

  it("tells noise from words, and a muted microphone from a quiet room", async () => {
    await session([], [""], async (room, events, _, ended) => {
      room.hear(silence(16));
      expect(await find(events, "quiet")).toEqual({ type: "quiet", muted: true });
      room.hear(noise(0.5, 9000), silence(2));
      await find(events, "noise");
      room.end();
      expect(await ended).toBe(true);
    });
    await session([], [], async (room, events, _, ended) => {
      room.hear(noise(16, 40));
      expect(await find(events, "quiet")).toEqual({ type: "quiet", muted: false });
      room.end();
      await ended;
    });
  });

  it("does not obey its own voice, but a stop that is said over it", async () => {
    const speaker = { say: async () => undefined, hasSpokenSince: () => true, hush: vi.fn() };
    await session([{ text: "Action: ", hang: true }], ["Press the Save button.", "Stop."], async (room, events, control, ended) => {
      room.hear(await spoken("us-press"), await spoken("us-stop"));
      await find(events, "control");
      expect(events.map(({ type }) => type)).toEqual(["heard", "control"]);
      expect(speaker.hush).toHaveBeenCalled();
      control.say("goodbye");
      await ended;
    }, { speaker }); // prettier-ignore
  });

  it.each([
    ["silence", silence(3), "nothing but silence"],
    ["noise", noise(3, 2000), "beside its noise"],
  ])("a recording of %s alone is an error that says so", async (_, samples, words) => {
    await session([], [], async (room, __, control, ended) => {
      room.end();
      await ended;
      const recording: SoundSource = { name: "x.wav", live: false, samples: Readable.from([samples]), [Symbol.asyncDispose]: async () => undefined };
      await expect(control.run(recording)).rejects.toMatchObject({ code: "unsupported_input", message: expect.stringContaining(words) as string });
    });
  });
});

describe("the command", () => {
  let home: string;
  let ear: Server;
  let url: string;
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), "deskhand-voice-"));
    // Whatever the checkout still has to build is built here.
    await listen(["--help"]);
    // A model that hears no words in anything.
    ear = createServer((request, response) => void request.resume().on("end", () => response.setHeader("content-type", "application/json").end('{"text":""}'))).listen(0, "127.0.0.1");
    await once(ear, "listening");
    url = `http://127.0.0.1:${(ear.address() as AddressInfo).port}/v1`;
  });
  afterAll(async () => {
    ear.close();
    await rm(home, { recursive: true });
  });

  async function listen(args: string[], { path, input }: { path?: string; input?: Buffer } = {}): Promise<{ code: number | null; stderr: string }> {
    const child = spawn(process.execPath, [fileURLToPath(new URL("../../bin/deskhand.js", import.meta.url)), "voice", ...args], { cwd: home, env: { ...process.env, ...(path !== undefined && { PATH: path }) }, stdio: ["pipe", "ignore", "pipe"] });
    child.stdin.on("error", () => undefined).end(input);
    const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, "close") as Promise<[number | null]>]);
    return { code, stderr };
  }

  it.each([
    ["a missing recorder", [], () => home, /Expected a program that records \(arecord, rec, sox\) but none is installed/],
    ["a microphone that is not there", ["--recorder", "arecord", "--device", "hw:CARD=nowhere"], () => process.env["PATH"], /Expected sound from hw:CARD=nowhere but arecord ended: .*nowhere.* --device names one/],
  ])("%s ends it with 1, and words that say what to do", async (_, args, path, words) => {
    expect(await listen(["--base-url", url, "--stt-url", url, ...args], { path: path() })).toEqual({ code: 1, stderr: expect.stringMatching(words) as string });
  });

  it("tells of silence and of noise, and goes on", async () => {
    const sound = toWave(joined([silence(16), noise(0.5, 9000), silence(2)]));
    const { code, stderr } = await listen(["--base-url", url, "--stt-url", url, "--input", "-"], { input: sound });
    expect(code).toBe(0);
    expect(stderr.split("\n").slice(1, 3)).toEqual([expect.stringMatching(/^silence: the microphone gives nothing but zeros\./), expect.stringMatching(/^noise: something was loud, but no words were heard/)]);
  });
});
