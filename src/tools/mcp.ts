import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { Command, Option } from "commander";
import { CONFIRM, DEFAULT_CONFIRM, DEFAULT_KEEP_MODEL_MS, DEFAULT_MAX_STEPS, DEFAULT_STOP_KEYS, type AgentOptions } from "../agent/options.js";
import { collect, decimalNumber, desktopRegion, displayOptions, duration, wholeNumber } from "./arguments.js";
import { abortOnSignals } from "./interrupt.js";
import { progressPrinter } from "./run-report.js";
import { openTerminal } from "./terminal.js";
import { addTwoModelOptions, type TwoModelFlags } from "./two-models.js";

interface McpFlags extends TwoModelFlags {
  http?: true;
  port: number;
  token?: string;
  corsOrigin?: string[];
  pictures: "always" | "asked";
  display?: string;
  region?: AgentOptions["region"];
  window?: string;
  capabilities?: string;
  confirm: NonNullable<AgentOptions["confirm"]>;
  secret?: string[];
  stopKeys: string;
  idle: number;
  model?: string;
  baseUrl?: string;
  dialect?: string;
  maxSteps: number;
  maxSeconds?: number;
  maxTokens?: number;
  keepModel: number;
  readLabels: boolean;
  out?: string;
}

/** `deskhand mcp`: a server of the Model Context Protocol; exit code 0 when its client leaves, or on Ctrl-C or SIGTERM. */
export function mcpCommand(): Command {
  const command = new Command("mcp")
    .description("let another program's model use this computer, by the Model Context Protocol on stdin and stdout")
    .option("--http", "serve clients of this machine over HTTP instead")
    .option("--port <port>", "for --http: port to listen on; 0 picks a free one", wholeNumber(0, 65_535), 8765)
    .addOption(new Option("--token <token>", "for --http: what requests have to show; better in the environment, where other users do not see it (a random one unless given)").env("DESKHAND_MCP_TOKEN"))
    .option("--cors-origin <origin>", "for --http: web pages of this origin may ask; may be given several times (default: none)", collect)
    .addOption(new Option("--pictures <when>", "whether a picture of the screen comes with the result of every action, or only when it is asked for").choices(["always", "asked"]).default("always"))
    .option("--display <which>", "virtual, current, or a monitor's name or number (the current display where there is one, else a virtual one)")
    .option("--region <x,y,w,h>", "show and use this part of the desktop only, in logical pixels", desktopRegion)
    .option("--window <title>", "show and use this window only: the uppermost with these words in its title")
    .option("--capabilities <file>", "YAML file that says what may be done: applications, windows, regions, keys, text, secrets, rates")
    .addOption(new Option("--confirm <which>", "which actions a person is asked about, through the client or in the terminal; with neither they are refused").choices(CONFIRM).default(DEFAULT_CONFIRM))
    .option("--secret <name>", "a secret that clients may have typed as {{secret:NAME}}; may be given several times (default: none)", collect)
    .option("--stop-keys <keys>", "keys that stop everything from any window, on X11 (empty for none)", DEFAULT_STOP_KEYS)
    .option("--idle <time>", "a session that has called nothing for this long loses mouse and keyboard, and what it holds is let go of", duration, 60_000)
    .option("--model <model>", "for run_task: alias, folder or Hugging Face id (the embedded one unless given)")
    .option("--base-url <url>", "for run_task: an OpenAI-compatible server to ask, instead of starting one (key: OPENAI_API_KEY)")
    .option("--dialect <name>", "for run_task: how the model is spoken to (chosen by the model's name unless given)");
  return addTwoModelOptions(command)
    .option("--keep-model <time>", "for run_task: how long a model stays loaded when it is not used", duration, DEFAULT_KEEP_MODEL_MS)
    .option("--no-read-labels", "for run_task: do not let a model read what a click is about to press, to ask about Delete and the like")
    .option("--max-steps <n>", "for run_task: most steps", wholeNumber(1), DEFAULT_MAX_STEPS)
    .option("--max-seconds <s>", "for run_task: most seconds", decimalNumber(0.001, 2_000_000))
    .option("--max-tokens <n>", "for run_task: most tokens, read and written", wholeNumber(1))
    .option("--out <dir>", "for run_task: folder for the folders of the runs (trajectories/ unless given)")
    .action(runMcp);
}

async function runMcp(flags: McpFlags): Promise<void> {
  using interrupt = abortOnSignals();
  const { signal } = interrupt;
  // Over stdio the terminal is the client's.
  using terminal = flags.http ? openTerminal() : undefined;
  const [{ createDesk }, { KeptModels }] = await Promise.all([import("./mcp/setup.js"), import("../agent/kept-models.js")]);
  const { display, monitor } = displayOptions(flags.display);
  const { confirm, stopKeys, region, window, idle: idleMs, model, baseUrl: baseURL, dialect, planner, plannerUrl: plannerURL, grounder, grounderUrl: grounderURL, readLabels, maxSteps, maxSeconds, maxTokens, out } = flags;
  await using keptModels = new KeptModels({ idleMs: flags.keepModel });
  const { desk, version, task } = await createDesk({
    desktop: { display, monitor, region, window },
    safety: { confirm, stopKeys, capabilities: flags.capabilities, secrets: flags.secret ?? [] },
    idleMs,
    task: { model, baseURL, dialect, planner, plannerURL, grounder, grounderURL, keptModels, readLabels, maxSteps, maxSeconds, maxTokens, onProgress: progressPrinter(), outRoot: out },
    signal,
  });
  await using _desk = desk;
  const options = { desk, version, task, pictures: flags.pictures, terminal: terminal?.approver };
  if (!flags.http) {
    const { serveStdio } = await import("./mcp/stdio.js");
    // Awaited here: the desk must outlive it.
    return await serveStdio(options, signal);
  }
  const { serveHttp } = await import("./mcp/http.js");
  const token = flags.token ?? randomBytes(24).toString("base64url");
  await using running = await serveHttp({ ...options, port: flags.port, token, corsOrigins: flags.corsOrigin });
  process.stdout.write(`listening on ${running.url}\n`);
  if (flags.token === undefined) process.stderr.write(`token: ${token}\n`);
  if (!signal.aborted) await once(signal, "abort");
}
