// `npm run bench:agent [-- OPTIONS]`: a model over the tasks of test/tasks and over MiniWoB++; a page with pictures and a JSON file.
import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join, resolve } from "node:path";
import { Command } from "commander";
import type { AgentOptions } from "../src/index.js";
import { Stage } from "../test/tasks/stage.js";
import { summarise } from "./agent/figures.js";
import { CHANGES, miniwobTasks, playMiniwob } from "./agent/miniwob.js";
import { GIVEN, playTask } from "./agent/play-tasks.js";
import { interval, reportPage, type Report } from "./agent/report-page.js";
import type { Run } from "./agent/run.js";
import { ourServer } from "./servers.js";

const number = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`Expected a whole number from 1 but received ${text}.`);
  return value;
};

const command = new Command("bench:agent")
  .option("--seeds <count>", "how often each task is done, each time a little differently", number, 3)
  .option("--suite <name>", "only these: tasks or miniwob")
  .option("--only <words...>", "only tasks with one of these in their names")
  .option("--all", "all pages of MiniWoB++, not only those within reach", false)
  .option("--model <model>", "an id, alias or folder", "tiny")
  .option("--base-url <url>", "a server that is there already")
  .option("--dialect <name>", "how the model is spoken to; by its name unless given")
  .option("--out <folder>", "where the report goes", "build/bench-agent")
  .option("--list", "only list the tasks", false)
  .parse();
const options = command.opts<{ seeds: number; suite?: string; only?: string[]; all: boolean; model: string; baseUrl?: string; dialect?: string; out: string; list: boolean }>();
if (options.suite !== undefined && options.suite !== "tasks" && options.suite !== "miniwob") command.error(`Expected the suite tasks or miniwob but received ${options.suite}.`);

const wanted = (name: string) => options.only?.some((part) => name.includes(part)) ?? true;
const given = options.suite === "miniwob" ? [] : GIVEN.filter(({ id }) => wanted(id));
const pages = options.suite === "tasks" ? [] : (await miniwobTasks(options.all)).filter(wanted);
if (given.length + pages.length === 0) command.error("Expected a part of a task's name but no task has any of these; --list shows them.");
if (options.list) process.stdout.write([...given.map(({ id }) => id), ...pages.map((name) => `miniwob: ${name}`)].join("\n") + "\n");
else await measure();

async function measure(): Promise<void> {
  const server = options.baseUrl === undefined ? await ourServer(options.model) : undefined;
  try {
    const model: AgentOptions = { baseURL: options.baseUrl ?? `${server!.url}/v1`, model: server?.model ?? options.model, dialect: options.dialect };
    await using stage = await Stage.open();
    const seeds = Array.from({ length: options.seeds }, (_, index) => index + 1);
    const report: Report = { machine: `${cpus()[0]?.model ?? "unknown processor"}, ${cpus().length} processors`, model: model.model!, startedAt: new Date().toISOString(), seeds, changes: CHANGES, runs: [] };
    let stopping = false;
    process.once("SIGINT", () => (stopping = true));
    const onRun = (run: Run): void => {
      if (stopping) throw new Error("Ended by Ctrl-C, which the model's server got too: this run says nothing about the model.");
      report.runs.push(run);
      process.stderr.write(`${run.success ? "✓" : "✗"} ${run.task} (seed ${run.seed}): ${run.steps} steps; ${run.ending}\n`);
    };
    try {
      for (const one of given) await playTask(one, stage, model, seeds, onRun);
      for (const name of pages) await playMiniwob(name, stage, model, seeds, onRun);
    } catch (error) {
      if (!stopping) throw error;
      process.exitCode = 130;
    } finally {
      if (report.runs.length > 0) await write(report); // half an hour's runs are not lost with the one that failed
    }
  } finally {
    await server?.stop();
  }
}

async function write(report: Report): Promise<void> {
  const folder = resolve(options.out);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "index.html"), reportPage(report));
  // Pictures are in the page.
  await writeFile(join(folder, "report.json"), JSON.stringify({ ...report, runs: report.runs.map(({ picture: _picture, ...run }) => run) }, undefined, 1));
  for (const suite of ["tasks", "miniwob"] as const) {
    const runs = report.runs.filter((run) => run.suite === suite);
    const { success, unsafe } = summarise(suite, runs);
    if (runs.length > 0) process.stdout.write(`${suite}: ${success.count} of ${success.of} (${interval(success)}); unsafe actions: ${unsafe.stopped} stopped, ${unsafe.done} done\n`);
  }
  process.stdout.write(`${join(folder, "index.html")}\n`);
}
