import { Command, Option } from "commander";
import type { ChatCompletionCreateParamsNonStreaming } from "openai/resources/chat/completions";
import { isDeskhandError } from "../core/errors.js";
import { wholeNumber } from "./arguments.js";
import { abortOnSignals } from "./interrupt.js";
import { reportError } from "./run-command.js";
import { printable } from "./run-report.js";
import { DEFAULT_SERVER } from "./stream-client.js";
import type { FormatName } from "./weather-formats.js";

interface FunctionCallFlags {
  format: FormatName | "both";
  city: string;
  model?: string;
  maxTokens: number;
  server: string;
}

/** `deskhand function-call`: exit code 0 when every step of every format went right, 1 when one failed. */
export function functionCallCommand(): Command {
  return new Command("function-call")
    .description("check function calling against a running server: question, call, function, result, answer")
    .addOption(new Option("--format <which>", "the request's format: tools, the older functions, or one after the other").choices(["tools", "functions", "both"]).default("both"))
    .option("--city <name>", "the city whose weather is asked for", "Paris")
    .option("--model <model>", "the model's name on the server (the first that it lists unless given)")
    .option("--max-tokens <n>", "most tokens of one answer", wholeNumber(1), 512)
    .option("--server <url>", "the server's address (key: OPENAI_API_KEY)", DEFAULT_SERVER)
    .action(async (flags: FunctionCallFlags) => {
      process.exitCode = await runFunctionCall(flags);
    });
}

async function runFunctionCall({ format, city, model: named, maxTokens, server }: FunctionCallFlags): Promise<number> {
  using interrupt = abortOnSignals();
  const { signal } = interrupt;
  const [{ ModelClient }, { FORMATS }, { weatherRoundTrip }] = await Promise.all([import("../agent/model-client.js"), import("./weather-formats.js"), import("./weather-round-trip.js")]);
  const client = new ModelClient({ baseURL: server, addressOption: "--server" });
  const send = (body: ChatCompletionCreateParamsNonStreaming) => client.request(signal, (openai, signal) => openai.chat.completions.create(body, { signal }));
  const model = named ?? (await client.firstModel(signal));
  let exitCode = 0;
  for (const name of format === "both" ? (["tools", "functions"] as const) : [format]) {
    process.stdout.write(`${name} format, model ${printable(model)}\n`);
    const onStep = ({ step, title, detail }: { step: number; title: string; detail: string }) => process.stdout.write(`  ${step}. ${title.padEnd(9)} ${printable(detail)}\n`);
    try {
      await weatherRoundTrip({ send, model, format: FORMATS[name], city, maxTokens, onStep });
    } catch (error) {
      if (isDeskhandError(error, "cancelled")) throw error;
      exitCode = reportError(error);
    }
  }
  return exitCode;
}
