import { Command, Option } from "commander";
import { CONFIRM, COVER_SECRETS, DEFAULT_CONFIRM, DEFAULT_COVER_SECRETS, DEFAULT_MAX_STEPS, DEFAULT_STOP_KEYS, type AgentOptions } from "../agent/options.js";
import { anyApprover } from "../agent/safety/approver.js";
import { decimalNumber, desktopRegion, displayOptions, wholeNumber } from "./arguments.js";
import { abortOnSignals } from "./interrupt.js";
import { openTerminal } from "./terminal.js";
import { printResult, printRunEvent, progressPrinter } from "./run-report.js";
import { addTwoModelOptions, type TwoModelFlags } from "./two-models.js";
import { addWatchPageOptions, openWatchPage, type WatchPageFlags } from "./watch-page.js";

interface AgentFlags extends TwoModelFlags, WatchPageFlags {
  model?: string;
  baseUrl?: string;
  dialect?: string;
  display?: string;
  region?: AgentOptions["region"];
  window?: string;
  maxSteps: number;
  maxSeconds?: number;
  maxTokens?: number;
  capabilities?: string;
  confirm: AgentOptions["confirm"];
  readLabels: boolean;
  stopKeys: string;
  coverSecrets: AgentOptions["coverSecrets"];
  dryRun?: true;
  out?: string;
}

/** `deskhand agent TASK`: exit code 0 when the model ended with success, 1 otherwise, 2 for bad usage. */
export function agentCommand(): Command {
  const command = new Command("agent")
    .description("operate the computer: look at the screen, ask the model, move mouse and keyboard, until the task is done")
    .argument("<task>", "what to do, in words")
    .option("--model <model>", "model: alias, folder or Hugging Face id (the embedded one unless given)")
    .option("--base-url <url>", "an OpenAI-compatible server to ask, instead of starting one (key: OPENAI_API_KEY)")
    .option("--dialect <name>", "how the model is spoken to (chosen by the model's name unless given)");
  addTwoModelOptions(command)
    .option("--display <which>", "virtual, current, or a monitor's name or number (the current display where there is one, else a virtual one)")
    .option("--region <x,y,w,h>", "see and work on this part of the desktop only, in logical pixels", desktopRegion)
    .option("--window <title>", "see and work on this window only: the uppermost with these words in its title")
    .option("--max-steps <n>", "stop after this many steps", wholeNumber(1), DEFAULT_MAX_STEPS)
    .option("--max-seconds <s>", "stop after this many seconds", decimalNumber(0.001, 2_000_000))
    .option("--max-tokens <n>", "stop after this many tokens, read and written", wholeNumber(1))
    .option("--capabilities <file>", "YAML file that says what may be done: applications, windows, regions, keys, text, secrets, rates")
    .addOption(new Option("--confirm <which>", "which actions to ask about, in the terminal and on the page of --watch; without either they are refused").choices(CONFIRM).default(DEFAULT_CONFIRM))
    .option("--no-read-labels", "do not let a model read what a click is about to press, to ask about Delete and the like")
    .option("--stop-keys <keys>", "keys that stop the run from any window, on X11 (empty for none)", DEFAULT_STOP_KEYS)
    .addOption(new Option("--cover-secrets <what>", "what recorded pictures do not show after a secret was typed").choices(COVER_SECRETS).default(DEFAULT_COVER_SECRETS))
    .option("--dry-run", "plan the first step, draw it, and touch nothing");
  return addWatchPageOptions(command)
    .option("--out <dir>", "folder for the trajectory (a new one under trajectories/ unless given)")
    .action(async (task: string, flags: AgentFlags) => {
      process.exitCode = await runAgent(task, flags);
    });
}

async function runAgent(task: string, flags: AgentFlags): Promise<number> {
  using interrupt = abortOnSignals();
  using terminal = openTerminal();
  // Loaded only now: they bring picture and input libraries that --help can do without.
  const { Agent } = await import("../agent/agent.js");
  await using page = await openWatchPage(flags, { controller: terminal?.controller });
  const approvers = [terminal, page].flatMap((way) => way?.approver ?? []);
  const agent = new Agent({
    model: flags.model,
    baseURL: flags.baseUrl,
    dialect: flags.dialect,
    planner: flags.planner,
    plannerURL: flags.plannerUrl,
    grounder: flags.grounder,
    grounderURL: flags.grounderUrl,
    ...displayOptions(flags.display),
    region: flags.region,
    window: flags.window,
    maxSteps: flags.maxSteps,
    maxSeconds: flags.maxSeconds,
    maxTokens: flags.maxTokens,
    capabilities: flags.capabilities,
    confirm: flags.confirm,
    readLabels: flags.readLabels,
    approver: approvers.length > 0 ? anyApprover(approvers) : undefined,
    controller: page?.controller ?? terminal?.controller,
    stopKeys: flags.stopKeys,
    coverSecrets: flags.coverSecrets,
    dryRun: flags.dryRun,
    outDir: flags.out,
    signal: interrupt.signal,
    onProgress: progressPrinter(),
    onEvent: (event) => {
      printRunEvent(event);
      page?.onEvent(event);
    },
  });
  const result = await agent.run(task);
  printResult(result);
  return result.success ? 0 : 1;
}
