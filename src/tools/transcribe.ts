import { Command, Option } from "commander";
import type { TranscribeOptions, TranscriptFormat } from "../index.js";
import { DEFAULT_SPEECH_MODEL } from "../server/defaults.js";
import { decimalNumber, wholeNumber } from "./arguments.js";
import { abortOnSignals, watchStdout } from "./interrupt.js";
import { progressPrinter } from "./run-report.js";

const FORMATS: readonly TranscriptFormat[] = ["text", "json", "srt", "vtt"];

interface TranscribeFlags {
  model: string;
  language?: string;
  translate?: boolean;
  words?: boolean;
  prompt?: string;
  format: TranscriptFormat;
  temp?: number;
  seed?: number;
}

/** `deskhand transcribe`: prints what is said in a sound file, text as it is heard, the other formats when all is. */
export function transcribeCommand(): Command {
  return new Command("transcribe")
    .description("write down what is said in a sound file or a film")
    .argument("<file>", "a sound file, a film, or the URL of one")
    .option("--model <model>", "a Whisper model: alias, folder or Hugging Face id", DEFAULT_SPEECH_MODEL)
    .option("--language <language>", "what is spoken, e.g. en or German (default: heard from the first 30 seconds)")
    .option("--translate", "write English, whatever is spoken")
    .option("--words", "with json: when each word is said; with srt and vtt: a line for each word")
    .option("--prompt <text>", "text that could stand before: names, spelling, style")
    .addOption(new Option("--format <format>", "what to print").choices(FORMATS).default("text"))
    .option("--temp <t>", "this temperature alone; 0 is the likeliest text (default: from 0 up to 1 while the text is unlikely)", decimalNumber(0, 2))
    .option("--seed <s>", "makes temperatures above 0 repeatable", wholeNumber(0, 2 ** 32 - 1))
    .action(runTranscribe);
}

async function runTranscribe(file: string, flags: TranscribeFlags): Promise<void> {
  using interrupt = abortOnSignals();
  using reader = watchStdout();
  const signal = AbortSignal.any([interrupt.signal, reader.signal]);
  const onProgress = progressPrinter();
  const { language, prompt, seed, temp: temperature, words: wordTimestamps } = flags;
  const options: TranscribeOptions = { language, prompt, seed, temperature, wordTimestamps, task: flags.translate ? "translate" : "transcribe", signal, onProgress };
  try {
    const { formatTranscript, loadTranscriber, segmentText } = await import("../index.js");
    await using transcriber = await loadTranscriber(flags.model, { signal, onProgress });
    if (flags.format === "text") {
      for await (const segment of transcriber.streamTranscribe(file, options)) process.stdout.write(`${segmentText(segment)}\n`);
    } else process.stdout.write(formatTranscript(await transcriber.transcribe(file, options), flags.format, { words: wordTimestamps === true }));
  } catch (error) {
    // A reader that has seen enough, e.g. `| head -1`, is no failure.
    if (!reader.signal.aborted) throw error;
  }
}
