import { Command } from "commander";
import type { GenerateOptions, GenerationOutput, GenerationStream } from "../index.js";
import { DEFAULT_MODEL } from "../server/defaults.js";
import { collect, decimalNumber, wholeNumber } from "./arguments.js";
import { abortOnSignals, watchStdout } from "./interrupt.js";
import { progressPrinter } from "./run-report.js";

interface GenerateFlags {
  model: string;
  prompt: string;
  image: string[];
  video: string[];
  videoFps?: number;
  videoMaxFrames?: number;
  audio: string[];
  raw?: boolean;
  maxTokens?: number;
  temp?: number;
  seed?: number;
  json?: boolean;
}

/**
 * `deskhand generate`: streams the answer to stdout, or with `--json` prints it whole on one line with tokens, usage and timings. Thinking is no
 * part of the answer: a terminal shows it through stderr, JSON has it as `reasoning`.
 */
export function generateCommand(): Command {
  return new Command("generate")
    .description("answer one prompt, with or without pictures, videos and sounds")
    .option("--model <model>", "model: alias, folder or Hugging Face id", DEFAULT_MODEL)
    .requiredOption("--prompt <text>", "what to ask")
    .option("--image <file-or-url>", "a picture to ask about; may be given several times", collect, [])
    .option("--video <file-or-url>", "a video to ask about; may be given several times", collect, [])
    .option("--video-fps <n>", "frames of it to look at in a second", decimalNumber(0.001, 240))
    .option("--video-max-frames <n>", "most frames of it to look at", wholeNumber(1, 4096))
    .option("--audio <file-or-url>", "a sound to ask about; may be given several times", collect, [])
    .option("--raw", "send the prompt as it is, without the chat template")
    .option("--max-tokens <n>", "most tokens to generate", wholeNumber(1))
    .option("--temp <t>", "temperature; 0 is greedy", decimalNumber(0, 2))
    .option("--seed <s>", "makes sampling repeatable", wholeNumber(0, 2 ** 32 - 1))
    .option("--json", "print {text, reasoning, token_ids, finish_reason, usage, timings} as one line of JSON")
    .action(runGenerate);
}

async function runGenerate(flags: GenerateFlags): Promise<void> {
  using interrupt = abortOnSignals();
  using reader = watchStdout();
  const signal = AbortSignal.any([interrupt.signal, reader.signal]);
  const options: GenerateOptions = { images: flags.image, videos: flags.video, videoFps: flags.videoFps, videoMaxFrames: flags.videoMaxFrames, audio: flags.audio, raw: flags.raw, maxTokens: flags.maxTokens, temperature: flags.temp, seed: flags.seed, signal };
  try {
    const { load } = await import("../index.js");
    await using model = await load(flags.model, { signal, onProgress: progressPrinter() });
    if (flags.json) {
      process.stdout.write(`${JSON.stringify(toJson(await model.generate(flags.prompt, options)))}\n`);
      return;
    }
    await print(model.streamGenerate(flags.prompt, options));
  } catch (error) {
    // A reader that has seen enough, e.g. `| head -1`, is no failure.
    if (!reader.signal.aborted) throw error;
  }
}

async function print(answer: GenerationStream): Promise<void> {
  let isThinking = false;
  for await (const { text, reasoning } of answer) {
    if (process.stderr.isTTY) {
      const isEnd: boolean = isThinking && text !== "";
      process.stderr.write(isEnd ? `${reasoning}\n\n` : reasoning);
      isThinking = !isEnd && (isThinking || reasoning !== "");
    }
    process.stdout.write(text);
  }
  process.stdout.write("\n");
}

function toJson({ text, reasoning, tokenIds, finishReason, promptTokens, completionTokens, timings }: GenerationOutput) {
  return {
    text,
    reasoning,
    token_ids: tokenIds,
    finish_reason: finishReason,
    usage: { prompt_tokens: promptTokens, completion_tokens: completionTokens, total_tokens: promptTokens + completionTokens },
    timings: { process_ms: timings.processMs, prefill_ms: timings.prefillMs, decode_ms: timings.decodeMs },
  };
}
