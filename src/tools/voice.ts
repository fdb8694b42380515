import { createInterface } from "node:readline";
import { Command, Option } from "commander";
import { CONFIRM, DEFAULT_CONFIRM, DEFAULT_MAX_STEPS, type AgentOptions } from "../agent/options.js";
import type { RunEvent } from "../agent/run-events.js";
import type { Recorder } from "../agent/voice/microphone.js";
import type { SoundSource } from "../agent/voice/sound-source.js";
import type { VoiceEvent } from "../agent/voice/voice-control.js";
import { DEFAULT_MODEL, DEFAULT_SPEECH_MODEL } from "../server/defaults.js";
import { wholeNumber } from "./arguments.js";
import { abortOnSignals } from "./interrupt.js";
import { printable, printResult, printRunEvent, progressPrinter } from "./run-report.js";
import { addWatchPageOptions, openWatchPage, type WatchPageFlags } from "./watch-page.js";

interface VoiceFlags extends WatchPageFlags {
  model?: string;
  baseUrl?: string;
  stt: string;
  sttUrl?: string;
  language?: string;
  pushToTalk?: true;
  input?: string;
  recorder?: Recorder;
  device?: string;
  mute?: true;
  display?: AgentOptions["display"];
  maxSteps: number;
  capabilities?: string;
  confirm: AgentOptions["confirm"];
  readLabels: boolean;
}

/** `deskhand voice`: exit code 0 when every task that was heard succeeded. */
export function voiceCommand(): Command {
  const command = new Command("voice")
    .description('operate the computer by voice: say what to do, answer when asked, say "stop" at any time')
    .option("--model <model>", "the model that sees and acts: alias, folder or Hugging Face id (the embedded one unless given)")
    .option("--base-url <url>", "an OpenAI-compatible server to ask for that (key: OPENAI_API_KEY)")
    .option("--stt <model>", "the model that writes down speech", DEFAULT_SPEECH_MODEL)
    .option("--stt-url <url>", "an OpenAI-compatible server to ask for that")
    .option("--language <language>", "what is spoken, e.g. en (heard unless given)")
    .option("--push-to-talk", "listen from one press of Enter to the next (all the time unless given)")
    .option("--input <file>", "a sound file instead of the microphone; - for a stream: WAVE, or raw 16-bit mono at 16 kHz")
    .addOption(new Option("--recorder <program>", "what records (the first that is installed unless given)").choices(["arecord", "rec", "sox"]))
    .option("--device <name>", "the microphone, as the recorder calls it (the system's own unless given)")
    .option("--mute", "no spoken replies")
    .addOption(new Option("--display <which>", "the display to work on (the current one where there is one, else a virtual one)").choices(["virtual", "current"]))
    .option("--max-steps <n>", "end a task after this many steps", wholeNumber(1), DEFAULT_MAX_STEPS)
    .option("--capabilities <file>", "YAML file that says what may be done")
    .addOption(new Option("--confirm <which>", "which actions to ask about").choices(CONFIRM).default(DEFAULT_CONFIRM))
    .option("--no-read-labels", "do not let a model read what a click is about to press, to ask about Delete and the like");
  return addWatchPageOptions(command)
    .action(async (flags: VoiceFlags) => {
      process.exitCode = await runVoice(flags);
    });
}

async function runVoice(flags: VoiceFlags): Promise<number> {
  using interrupt = abortOnSignals();
  const { signal } = interrupt;
  const { Agent, openMicrophone, openSoundFile, openSoundStream, serve, serverTranscription, SpeechDetector, systemSpeaker, VoiceControl } = await import("../index.js");
  const { PushToTalk } = await import("../agent/voice/push-to-talk.js");
  // First what may be missing, then what takes long.
  await using source = flags.input === undefined ? openMicrophone({ recorder: flags.recorder, device: flags.device }) : await (flags.input === "-" ? openSoundStream(process.stdin) : openSoundFile(flags.input));
  const own = [...(flags.baseUrl === undefined ? [flags.model ?? DEFAULT_MODEL] : []), ...(flags.sttUrl === undefined ? [flags.stt] : [])];
  // Both models stay loaded from task to task, each in a process of its own.
  await using server = own.length > 0 ? await serve({ model: own, pin: own, port: 0, signal, onProgress: progressPrinter() }) : undefined;
  // It lasts from task to task, as the models do.
  await using page = await openWatchPage(flags, { hears: true });
  const talk = flags.pushToTalk ? new PushToTalk() : undefined;
  const control = new VoiceControl({
    transcribe: serverTranscription({ baseURL: flags.sttUrl ?? server!.url, ...(flags.sttUrl === undefined && { apiKey: "none" }), model: flags.stt, language: flags.language }),
    segmenter: talk ?? new SpeechDetector(),
    speaker: flags.mute ? undefined : systemSpeaker(),
    controller: page?.controller,
    approver: page?.approver,
    onEvent: (event) => {
      printEvent(event);
      if (event.type === "heard") page?.onHeard(event.text);
    },
    work: (task, { signal: stopped, controller, approver }) => {
      const { display, maxSteps, capabilities, confirm, readLabels } = flags;
      const onEvent = (event: RunEvent) => {
        printRunEvent(event);
        page?.onEvent(event);
      };
      const address = flags.baseUrl === undefined ? { baseURL: server!.url, apiKey: "none", model: flags.model ?? DEFAULT_MODEL } : { baseURL: flags.baseUrl, model: flags.model };
      return new Agent({ ...address, display, maxSteps, capabilities, confirm, readLabels, controller, approver, onEvent }).run(task, { signal: stopped });
    },
  });
  using _lines = flags.input === "-" ? undefined : watchLines((line) => (line.trim() === "" ? talk && toggle(talk) : control.say(line)));
  process.stderr.write(`${invitation(source, talk !== undefined)}\n`);
  return (await control.run(source, signal)) ? 0 : 1;
}

function invitation({ name, live }: SoundSource, byKey: boolean): string {
  if (!live) return `reading ${printable(name)}`;
  return byKey ? "press Enter, speak, press Enter again; what you type counts as said" : `listening to ${printable(name)}: say what to do, "stop" at any time, "stop listening" to end`;
}

function toggle(talk: { talking: boolean; toggle(): void }): void {
  talk.toggle();
  process.stderr.write(talk.talking ? "listening: press Enter when you have spoken\n" : "understood so far; a moment\n");
}

/** Typed lines, where there is a terminal or a pipe. */
function watchLines(onLine: (line: string) => void): Disposable {
  const lines = createInterface({ input: process.stdin, terminal: false });
  lines.on("line", onLine);
  return {
    [Symbol.dispose]: () => {
      lines.close();
      process.stdin.unref?.();
    },
  };
}

function printEvent(event: VoiceEvent): void {
  if (event.type === "result") return printResult(event.result);
  const line = describe(event);
  if (line !== undefined) process.stderr.write(`${printable(line)}\n`);
}

function describe(event: Exclude<VoiceEvent, { type: "result" }>): string | undefined {
  switch (event.type) {
    case "heard":
      return `heard: ${event.text}`;
    case "noise":
      return "noise: something was loud, but no words were heard in it. Speak nearer to the microphone, or choose a better model with --stt.";
    case "quiet":
      return event.muted ? "silence: the microphone gives nothing but zeros. Is it muted, or is it another one (--device)?" : "quiet: nothing as loud as speech so far. Is it the right microphone (--device), and loud enough?";
    case "question":
      return `question: ${event.text}`;
    case "busy":
      return `busy: "${event.text}" has to wait; say "stop" first.`;
    case "control":
      return { stop: "stopping", end: "listening no more" }[event.control];
    case "paused":
      return `paused: ${event.reason} Say "continue" to go on.`;
    case "resumed":
      return "going on";
    case "failed":
      return `failed: ${event.message}`;
    case "task":
      return undefined;
  }
}
