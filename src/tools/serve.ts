import { once } from "node:events";
import { Command, Option } from "commander";
import { isDeskhandError } from "../core/errors.js";
import { DEFAULT_HOST, DEFAULT_MODEL, DEFAULT_PORT } from "../server/defaults.js";
import { wholeNumber } from "./arguments.js";
import { abortOnSignals } from "./interrupt.js";
import { progressPrinter } from "./run-report.js";

interface ServeFlags {
  model: string;
  host: string;
  port: number;
  toolFormat?: string;
  allowPrivateUrls?: boolean;
  apiKey?: string;
}

/** `deskhand serve`: prints `listening on http://…` once it answers; ends with exit code 0 on Ctrl-C or SIGTERM. */
export function serveCommand(): Command {
  return new Command("serve")
    .description("serve a model over HTTP, as OpenAI's API does")
    .option("--model <model>", "model: alias, folder or Hugging Face id", DEFAULT_MODEL)
    .option("--host <host>", "address to listen on", DEFAULT_HOST)
    .option("--port <port>", "port to listen on; 0 picks a free one", wholeNumber(0, 65_535), DEFAULT_PORT)
    .option("--tool-format <name>", "tool-call format of the model's answers (default: as its chat template teaches)")
    .addOption(new Option("--api-key <key>", "refuse requests without this key; an environment variable does not show in lists of processes").env("DESKHAND_API_KEY"))
    .option("--allow-private-urls", "fetch pictures from private and loopback addresses too")
    .action(runServe);
}

async function runServe(flags: ServeFlags): Promise<void> {
  using interrupt = abortOnSignals();
  const { signal } = interrupt;
  try {
    const { serve } = await import("../server/start.js");
    await using server = await serve({ ...flags, signal, onProgress: progressPrinter() });
    process.stdout.write(`listening on ${server.url}\n`);
    if (!signal.aborted) await once(signal, "abort");
  } catch (error) {
    // Asked to end while the model was loading: that is an end as good as any.
    if (!(signal.aborted && isDeskhandError(error, "cancelled"))) throw error;
  }
}
