import { createInterface } from "node:readline";
import { Command, Option } from "commander";
import type { HearingOptions } from "../agent/streams/hearing.js";
import type { StreamWatcherOptions } from "../agent/streams/stream-watcher.js";
import { DEFAULT_CHANGE, STREAM_DEFAULTS, WATCH_DEFAULTS } from "../agent/streams/defaults.js";
import type { Recorder } from "../agent/voice/microphone.js";
import type { SoundSource } from "../agent/voice/sound-source.js";
import { DEFAULT_SPEECH_MODEL } from "../server/defaults.js";
import { decimalNumber, duration, wholeNumber } from "./arguments.js";
import { abortOnSignals, watchStdout } from "./interrupt.js";
import { progressPrinter } from "./run-report.js";
import { eventPrinter } from "./watch-report.js";

interface WatchFlags {
  list?: true;
  model?: string;
  baseUrl?: string;
  question: string;
  every?: number;
  onChange?: number | true;
  askOnly?: true;
  listen?: true;
  omni?: true;
  sound?: string;
  stt: string;
  sttUrl?: string;
  language?: string;
  recorder?: Recorder;
  device?: string;
  frames: number;
  fps: number;
  maxSide: number;
  maxTokens: number;
  maxSeconds?: number;
  json?: true;
}

/** `deskhand watch`: exit code 0 when the stream, the time or a person ended it. */
export function watchCommand(): Command {
  return new Command("watch")
    .description("watch a camera, a stream or a video: a model tells what changes, and answers what you type or say")
    .argument("[source]", "camera, camera:NAME, an rtsp: or http: (MJPEG) address, or a file", "camera")
    .option("--list", "list the cameras of this machine")
    .option("--model <model>", "the model that sees: alias, folder or Hugging Face id")
    .option("--base-url <url>", "an OpenAI-compatible server to ask (key: OPENAI_API_KEY)")
    .option("--question <text>", "what is asked for each comment", WATCH_DEFAULTS.question)
    .option("--every <time>", "comment so often, e.g. 10s", duration)
    .option("--on-change [percent]", `comment when so much of the picture has changed (unless --every is given: ${DEFAULT_CHANGE * 100})`, decimalNumber(0.1, 100))
    .option("--ask-only", "no comments: only answers to what is typed or said")
    .option("--listen", "take questions from the microphone too")
    .option("--omni", "give the model the microphone's sound itself, beside the pictures: for models that hear")
    .option("--sound <file>", "a sound file instead of the microphone")
    .option("--stt <model>", "the model that writes down speech", DEFAULT_SPEECH_MODEL)
    .option("--stt-url <url>", "an OpenAI-compatible server to ask for that")
    .option("--language <language>", "what is spoken, e.g. en (heard unless given)")
    .addOption(new Option("--recorder <program>", "what records (the first that is installed unless given)").choices(["arecord", "rec", "sox"]))
    .option("--device <name>", "the microphone, as the recorder calls it (the system's own unless given)")
    .option("--frames <n>", "pictures in one request: the newest, and earlier ones a second apart", wholeNumber(1, 16), WATCH_DEFAULTS.framesPerRequest)
    .option("--fps <n>", "most pictures a second to look at", decimalNumber(0.01, 60), STREAM_DEFAULTS.fps)
    .option("--max-side <px>", "make larger pictures smaller", wholeNumber(32, 8192), STREAM_DEFAULTS.maxSidePx)
    .option("--max-tokens <n>", "most tokens of an answer", wholeNumber(1), WATCH_DEFAULTS.maxTokens)
    .option("--max-seconds <s>", "end after this time", decimalNumber(0.1, 2_000_000))
    .option("--json", "a line of JSON for each event, on stdout")
    .action(async (source: string, flags: WatchFlags, command: Command) => {
      if (flags.list) return printCameras();
      if (flags.model === undefined && flags.baseUrl === undefined) command.error("error: Expected --model, e.g. --model qwen, or --base-url: the embedded model only knows forms on a screen.");
      await runWatch(source, flags);
    });
}

async function printCameras(): Promise<void> {
  const { listCameras } = await import("../agent/streams/cameras.js");
  const cameras = await listCameras();
  for (const { id, name } of cameras) process.stdout.write(`${id}\t${name}\n`);
  if (cameras.length === 0) process.stderr.write("no cameras on this machine\n");
}

async function runWatch(source: string, flags: WatchFlags): Promise<void> {
  using interrupt = abortOnSignals();
  using reader = watchStdout();
  const limit = new AbortController();
  const signal = AbortSignal.any([interrupt.signal, reader.signal, limit.signal]);
  let timer: NodeJS.Timeout | undefined;
  const print = eventPrinter(flags.json === true);
  const onEvent: typeof print = (event) => {
    // The time of watching, not that of loading a model.
    if (event.type === "watching" && flags.maxSeconds !== undefined) timer = setTimeout(() => limit.abort(), flags.maxSeconds * 1000);
    print(event);
  };
  try {
    await watch(source, flags, signal, onEvent);
  } catch (error) {
    // What is cut off by the end is no failure.
    if (!signal.aborted) throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function watch(address: string, flags: WatchFlags, signal: AbortSignal, onEvent: ReturnType<typeof eventPrinter>): Promise<void> {
  // Not by the library's entry, which brings the engine along: a server elsewhere needs none of it.
  const [{ VideoStream }, { StreamWatcher }, { ModelClient }] = await Promise.all([import("../agent/streams/video-stream.js"), import("../agent/streams/stream-watcher.js"), import("../agent/model-client.js")]);
  const { baseUrl, sttUrl, fps, maxSide } = flags;
  const hears = flags.listen === true || flags.omni === true || flags.sound !== undefined;
  // First what may be missing, then what takes long.
  await using sound = hears ? await openSound(flags) : undefined;
  await using stream = await VideoStream.open(address, { fps, maxSidePx: maxSide, onEvent, signal });
  const own = [...(baseUrl === undefined ? [flags.model as string] : []), ...(hears && !flags.omni && sttUrl === undefined ? [flags.stt] : [])];
  await using server = own.length > 0 ? await (await import("../server/start.js")).serve({ model: own, pin: own, port: 0, signal, onProgress: progressPrinter() }) : undefined;
  const client = new ModelClient({ baseURL: baseUrl ?? server!.url, ...(baseUrl === undefined && { apiKey: "none" }) });
  const recentSound = flags.omni ? new (await import("../agent/streams/recent.js")).RecentSound() : undefined;
  const watcher = new StreamWatcher({ client, model: flags.model ?? (await client.firstModel(signal)), source: stream, question: flags.question, framesPerRequest: flags.frames, maxTokens: flags.maxTokens, recentSound, onEvent, ...occasions(flags) });
  onEvent({ type: "watching", source: stream.name });
  const over = new AbortController();
  const ended = AbortSignal.any([signal, over.signal]);
  using _lines = watchLines((line) => void watcher.ask(line));
  const hearing = sound && hear(sound, { watcher, recentSound, onEvent, signal: ended }, flags, server?.url);
  // A sound file is heard to its end; a microphone has none.
  if (hearing && !sound?.live) void watcher.whileListening(hearing);
  try {
    await watcher.run(signal);
  } finally {
    over.abort();
    await hearing;
  }
}

async function openSound({ sound, recorder, device }: WatchFlags): Promise<SoundSource> {
  if (sound !== undefined) return (await import("../agent/voice/recorded-sound.js")).openSoundFile(sound);
  return (await import("../agent/voice/microphone.js")).openMicrophone({ recorder, device });
}

async function hear(sound: SoundSource, options: Pick<HearingOptions, "watcher" | "recentSound" | "onEvent" | "signal">, flags: WatchFlags, ownServer: string | undefined): Promise<void> {
  const [{ hearQuestions }, { SpeechDetector }, { serverTranscription }] = await Promise.all([import("../agent/streams/hearing.js"), import("../agent/voice/speech-detector.js"), import("../agent/voice/transcription.js")]);
  const transcribe = flags.omni ? undefined : serverTranscription({ baseURL: flags.sttUrl ?? ownServer!, ...(flags.sttUrl === undefined && { apiKey: "none" }), model: flags.stt, language: flags.language });
  await hearQuestions(sound, { ...options, segmenter: new SpeechDetector(), transcribe });
}

function occasions({ every, onChange, askOnly }: WatchFlags): Pick<StreamWatcherOptions, "everyMs" | "onChange"> {
  if (askOnly) return {};
  const percent = onChange === true || (onChange === undefined && every === undefined) ? DEFAULT_CHANGE * 100 : onChange;
  return { everyMs: every, ...(percent !== undefined && { onChange: percent / 100 }) };
}

/** Typed lines, where there is a terminal or a pipe. */
function watchLines(onLine: (line: string) => void): Disposable {
  const lines = createInterface({ input: process.stdin, terminal: false });
  lines.on("line", (line) => line.trim() !== "" && onLine(line.trim()));
  return {
    [Symbol.dispose]: () => {
      lines.close();
      process.stdin.unref?.();
    },
  };
}
