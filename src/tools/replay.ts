import { access, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { DEFAULT_TOLERANCE_PX } from "../agent/replay/compare.js";
import type { StoredTrajectory } from "../agent/replay/read-trajectory.js";
import type { ReplayReport } from "../agent/replay/report.js";
import { decimalNumber } from "./arguments.js";
import { abortOnSignals } from "./interrupt.js";
import { printComparison, printCounts, printHead } from "./replay-report.js";
import { progressPrinter } from "./run-report.js";
import { addTwoModelOptions, type TwoModelFlags } from "./two-models.js";

interface ReplayFlags extends TwoModelFlags {
  rebuild?: true;
  parse?: true;
  model?: string;
  baseUrl?: string;
  dialect?: string;
  tolerance: number;
  report?: string;
}

/** `deskhand replay TRAJECTORY`: the page of a run, or what today's parser or model makes of it. Exit code 1 when that differs. */
export function replayCommand(): Command {
  const command = new Command("replay")
    .description("show a recorded run; or put it to today's parser (--parse) or to a model (--model, --base-url), which touches no desktop")
    .argument("<trajectory>", "the folder of a run")
    .option("--rebuild", "make the page again from the records")
    .option("--parse", "read the recorded replies as today's agent does, and compare the actions")
    .option("--model <model>", "ask this model at each recorded screen, and compare the actions")
    .option("--base-url <url>", "an OpenAI-compatible server to ask, instead of starting one (key: OPENAI_API_KEY)")
    .option("--dialect <name>", "how the replies are read, or the model is spoken to (chosen by the model's name, else as recorded)");
  return addTwoModelOptions(command)
    .option("--tolerance <px>", "for a model: points this close are the same", decimalNumber(0, 100_000), DEFAULT_TOLERANCE_PX)
    .option("--report <file>", "write the comparison as JSON too")
    .action(async (path: string, flags: ReplayFlags, command: Command) => {
      process.exitCode = await runReplay(path, flags, command);
    });
}

async function runReplay(path: string, flags: ReplayFlags, command: Command): Promise<number> {
  const asks = [flags.model, flags.baseUrl, flags.planner, flags.plannerUrl, flags.grounder, flags.grounderUrl].some((flag) => flag !== undefined);
  const compares = asks || flags.parse === true;
  if (asks && flags.parse) command.error("error: --parse asks no model: give either it or the models", { exitCode: 2 });
  if (!compares && (flags.report !== undefined || flags.dialect !== undefined)) command.error("error: --report and --dialect go with --parse, --model or --base-url", { exitCode: 2 });
  if (compares && flags.rebuild) command.error("error: --rebuild makes the page, and compares nothing", { exitCode: 2 });
  using interrupt = abortOnSignals();
  const { signal } = interrupt;
  const { readTrajectory } = await import("../agent/replay/read-trajectory.js");
  const trajectory = await readTrajectory(path);
  for (const note of trajectory.notes) process.stderr.write(`note: ${note}\n`);
  if (!compares) return showPage(trajectory, flags.rebuild === true);
  const report = await (asks ? askModel(trajectory, flags, signal) : parseReplies(trajectory, flags, signal));
  printCounts(report);
  if (flags.report !== undefined) await writeReport(flags.report, report);
  const { isSame } = await import("../agent/replay/report.js");
  return isSame(report) ? 0 : 1;
}

/** A page that is there stays as it is: it may have been made by the Deskhand that made the run. */
async function showPage(trajectory: StoredTrajectory, rebuild: boolean): Promise<number> {
  const { PAGE_FILE, writePage } = await import("../agent/recorder/trajectory-folder.js");
  const path = join(trajectory.dir, PAGE_FILE);
  const exists = await access(path).then(() => true, () => false);
  if (rebuild || !exists) await writePage(trajectory.dir, trajectory);
  process.stdout.write(`${path}\n`);
  return 0;
}

async function parseReplies(trajectory: StoredTrajectory, { dialect }: ReplayFlags, signal: AbortSignal): Promise<ReplayReport> {
  const { replayParse } = await import("../agent/replay/parse-replay.js");
  const report = await replayParse(trajectory, { dialect, signal });
  printHead();
  for (const step of report.steps) printComparison(step);
  return report;
}

async function askModel(trajectory: StoredTrajectory, flags: ReplayFlags, signal: AbortSignal): Promise<ReplayReport> {
  const { replayWithModel } = await import("../agent/replay/model-replay.js");
  const { model, baseUrl: baseURL, dialect, planner, plannerUrl: plannerURL, grounder, grounderUrl: grounderURL, tolerance: tolerancePx } = flags;
  printHead();
  return replayWithModel(trajectory, { model, baseURL, dialect, planner, plannerURL, grounder, grounderURL, tolerancePx, signal, onProgress: progressPrinter(), onStep: printComparison });
}

async function writeReport(path: string, report: ReplayReport): Promise<void> {
  const { writeWhole } = await import("../core/whole-file.js");
  await writeWhole(path, (partial) => writeFile(partial, `${JSON.stringify(report, undefined, 2)}\n`, { mode: 0o600 }));
}
