import { once } from "node:events";
import { resolve } from "node:path";
import { Command, Option } from "commander";
import { DeskhandError, isDeskhandError } from "../core/errors.js";
import { DEFAULT_HOST, DEFAULT_MODEL, DEFAULT_PORT } from "../server/defaults.js";
import { DEFAULT_LIMITS } from "../server/limits.js";
import { byteSize, byteSizeOrOff, collect, collectPairs, duration, wholeNumber } from "./arguments.js";
import { abortOnSignals } from "./interrupt.js";
import { progressPrinter } from "./run-report.js";

interface ServeFlags {
  model?: string[];
  pin?: string[];
  alias?: Record<string, string>;
  allowLoad?: boolean;
  maxMemory?: number;
  prefixCache?: number;
  featureCache?: number;
  prefixCacheDisk?: number;
  prefixCacheDir?: string;
  maxConcurrent?: number;
  maxWaiting?: number;
  idleTimeout?: number;
  corsOrigin?: string[];
  allowHost?: string[];
  requestTimeout?: number;
  drainTimeout?: number;
  logRequests?: boolean;
  host: string;
  port: number;
  apiKey?: string;
  toolFormat?: string;
  allowPrivateUrls?: boolean;
}

/** `deskhand serve`: prints `listening on http://…` once it answers; ends with exit code 0 on Ctrl-C or SIGTERM. */
export function serveCommand(): Command {
  return new Command("serve")
    .description("serve models over HTTP, as OpenAI's API does")
    .option("--model <model>", `model: alias, folder or Hugging Face id; given several times, the first is the default and the others are loaded when asked for (default: "${DEFAULT_MODEL}")`, collect)
    .option("--pin <model>", "a model that is loaded at the start and never let go; may be given several times", collect)
    .option("--alias <name=model>", "a further name for a model, e.g. gpt-4o=qwen; may be given several times", collectPairs)
    .option("--allow-load", "requests may name every other model that is on this machine, too")
    .option("--max-memory <size>", "most memory for all models, e.g. 12GB; unused ones make room (default: 90 % of the machine's)", byteSize)
    .option("--prefix-cache <size|off>", `memory of a model for what it has read, so that prompts go on from it (default: ${megabytes(DEFAULT_LIMITS.prefixCacheBytes)})`, byteSizeOrOff)
    .option("--feature-cache <size|off>", `memory of a model for pictures it has encoded (default: ${megabytes(DEFAULT_LIMITS.featureCacheBytes)})`, byteSizeOrOff)
    .option("--prefix-cache-disk <size|off>", "disk for what the prefix cache in memory lets go of, e.g. 4GB; outlasts the server (default: off)", byteSizeOrOff)
    .option("--prefix-cache-dir <folder>", `where that is; for this user alone (default: "${DEFAULT_LIMITS.prefixCacheDir}")`)
    .option("--max-concurrent <n>", `requests that one model answers at once (default: ${DEFAULT_LIMITS.maxConcurrent})`, wholeNumber(1, 1024))
    .option("--max-waiting <n>", `requests that wait beside those; the next is told to come back later (default: ${DEFAULT_LIMITS.maxWaiting})`, wholeNumber(0, 100_000))
    .option("--idle-timeout <time>", "let models go that nobody has used for this long, e.g. 15m (default: never)", duration)
    .option("--host <host>", "address to listen on", DEFAULT_HOST)
    .option("--port <port>", "port to listen on; 0 picks a free one", wholeNumber(0, 65_535), DEFAULT_PORT)
    .addOption(new Option("--api-key <key>", "what requests have to show; better in the environment, where other users do not see it").env("DESKHAND_API_KEY"))
    .option("--cors-origin <origin>", "web pages of this origin may ask, e.g. https://app.example; may be given several times (default: none but the server's own)", collect)
    .option("--allow-host <name>", "a name beside localhost that a server for this machine alone answers to; may be given several times", collect)
    .option("--request-timeout <time>", `longest time from a request to the end of its answer (default: ${DEFAULT_LIMITS.requestTimeoutMs / 3_600_000}h)`, duration)
    .option("--drain-timeout <time>", `how long running requests may go on after Ctrl-C or SIGTERM (default: ${DEFAULT_LIMITS.drainTimeoutMs / 1000}s)`, duration)
    .option("--log-requests", "log a line for each request to stderr, without what was said")
    .option("--tool-format <name>", "tool-call format of the models' answers (default: as the chat template teaches)")
    .option("--allow-private-urls", "fetch pictures from private and loopback addresses too")
    .action(runServe);
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)}MiB`;
}

async function runServe({ alias: aliases, maxMemory, prefixCache, featureCache, prefixCacheDisk, prefixCacheDir, maxConcurrent, maxWaiting, idleTimeout, requestTimeout, drainTimeout, corsOrigin: corsOrigins, allowHost: allowHosts, ...flags }: ServeFlags): Promise<void> {
  if (prefixCacheDir !== undefined && !prefixCacheDisk) throw new DeskhandError("invalid_argument", "Expected --prefix-cache-disk with --prefix-cache-dir: how much may be kept there, e.g. 4GB.");
  using interrupt = abortOnSignals();
  const { signal } = interrupt;
  const limits = {
    ...(maxMemory !== undefined && { maxMemoryBytes: maxMemory }),
    ...(prefixCache !== undefined && { prefixCacheBytes: prefixCache }),
    ...(featureCache !== undefined && { featureCacheBytes: featureCache }),
    ...(prefixCacheDisk !== undefined && { prefixCacheDiskBytes: prefixCacheDisk }),
    ...(prefixCacheDir !== undefined && { prefixCacheDir: resolve(prefixCacheDir) }),
    ...(maxConcurrent !== undefined && { maxConcurrent }),
    ...(maxWaiting !== undefined && { maxWaiting }),
    ...(idleTimeout !== undefined && { idleTimeoutMs: idleTimeout }),
    ...(requestTimeout !== undefined && { requestTimeoutMs: requestTimeout }),
    ...(drainTimeout !== undefined && { drainTimeoutMs: drainTimeout }),
  };
  try {
    const { serve } = await import("../server/start.js");
    await using server = await serve({ ...flags, aliases, corsOrigins, allowHosts, limits, signal, onProgress: progressPrinter() });
    process.stdout.write(`listening on ${server.url}\n`);
    if (!signal.aborted) await once(signal, "abort");
  } catch (error) {
    // Asked to end while the model was loading: that is an end as good as any.
    if (!(signal.aborted && isDeskhandError(error, "cancelled"))) throw error;
  }
}
