import { Command } from "commander";
import { DEFAULT_HOST, DEFAULT_PORT } from "../server/defaults.js";
import type { ModelReply } from "../agent/model-client.js";
import { collect, decimalNumber, wholeNumber } from "./arguments.js";
import { abortOnSignals, watchStdout } from "./interrupt.js";
import { pictureUrl } from "./picture-url.js";

interface StreamClientFlags {
  prompt: string;
  image: string[];
  model: string;
  maxTokens: number;
  temp: number;
  server: string;
  verbose?: boolean;
}

/** Where `deskhand serve` listens unless told otherwise. */
export const DEFAULT_SERVER = `http://${DEFAULT_HOST}:${DEFAULT_PORT}`;

/** `deskhand stream-client`: the answer of a running server, to stdout as it comes; with `--verbose` what it cost, to stderr. */
export function streamClientCommand(): Command {
  return new Command("stream-client")
    .description("ask a running server and print the answer as it comes")
    .requiredOption("--prompt <text>", "what to ask")
    .option("--image <file-or-url>", "a picture to ask about; may be given several times", collect, [])
    .option("--model <model>", "the model's name on the server", "mistral3")
    .option("--max-tokens <n>", "most tokens to generate", wholeNumber(1), 256)
    .option("--temp <t>", "temperature; 0 is greedy", decimalNumber(0, 2), 0)
    .option("--server <url>", "the server's address (key: OPENAI_API_KEY)", DEFAULT_SERVER)
    .option("--verbose", "say how many tokens it was and how long it took, on stderr")
    .action(runStreamClient);
}

async function runStreamClient(flags: StreamClientFlags): Promise<void> {
  using interrupt = abortOnSignals();
  using reader = watchStdout();
  const signal = AbortSignal.any([interrupt.signal, reader.signal]);
  try {
    const { ModelClient } = await import("../agent/model-client.js");
    const client = new ModelClient({ baseURL: flags.server, addressOption: "--server" });
    const urls = await Promise.all(flags.image.map(pictureUrl));
    const pictures = urls.map((url) => ({ type: "image_url" as const, image_url: { url } }));
    const reply = await client.complete(flags.model, {
      messages: [{ role: "user", content: pictures.length === 0 ? flags.prompt : [...pictures, { type: "text", text: flags.prompt }] }],
      tools: [],
      sampling: { temperature: flags.temp, max_tokens: flags.maxTokens },
      signal,
      ...printer(),
    });
    process.stdout.write("\n");
    if (flags.verbose) process.stderr.write(`${costOf(reply)}\n`);
  } catch (error) {
    // A reader that has seen enough, e.g. `| head -1`, is no failure.
    if (!reader.signal.aborted) throw error;
  }
}

/** Text to stdout; thinking is no part of the answer, but someone who waits at a terminal sees it. */
function printer() {
  let isThinking = false;
  return {
    onReasoning: (text: string) => {
      if (!process.stderr.isTTY) return;
      isThinking = true;
      process.stderr.write(text);
    },
    onText: (text: string) => {
      if (isThinking) process.stderr.write("\n\n");
      isThinking = false;
      process.stdout.write(text);
    },
  };
}

/** Tokens a second are those after the first, over the time after it: the first one's time is the prompt's. */
function costOf({ usage, firstPieceMs, totalMs, finishReason }: ModelReply): string {
  const afterFirstMs = totalMs - firstPieceMs;
  const rate = usage && usage.completionTokens > 1 && afterFirstMs > 0 ? `${(((usage.completionTokens - 1) / afterFirstMs) * 1000).toFixed(1)} tokens/s` : undefined;
  return [
    ["prompt", usage ? `${usage.promptTokens} tokens${usage.cachedTokens ? `, ${usage.cachedTokens} of them from the cache` : ""}` : "the server does not say how many tokens"],
    ["answer", usage ? `${usage.completionTokens} tokens, ended by ${finishReason}` : `ended by ${finishReason}`],
    ["first token", `${Math.round(firstPieceMs)} ms`],
    ...(rate === undefined ? [] : [["speed", rate]]),
    ["total", `${Math.round(totalMs)} ms`],
  ]
    .map(([name, value]) => `${`${name}:`.padEnd(13)}${value}`)
    .join("\n");
}
