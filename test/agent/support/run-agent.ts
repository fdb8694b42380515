import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Agent, type AgentResult } from "../../../src/agent/agent.js";
import { MemoryComputer, type MemoryComputerOptions } from "../../../src/agent/computer/memory.js";
import type { AgentOptions } from "../../../src/agent/options.js";
import type { ResultLine, RunLine, StepLine, TrajectoryLine } from "../../../src/agent/recorder/records.js";
import { ScriptedServer, type LabelScript, type Script } from "./scripted-server.js";

/** The first line of some trajectory. */
export const RUN: RunLine = {
  type: "run",
  version: 2,
  startedAt: "2031-02-03T04:05:06.789Z",
  task: "press OK",
  model: "m",
  baseURL: "http://x/v1",
  dialect: "tiny",
  display: "d",
  limits: { maxSteps: 1 },
  safety: { confirm: "risky", dryRun: false },
  versions: { deskhand: "0", node: "v", platform: "p" },
};

export interface ScriptedRun {
  server: ScriptedServer;
  computer: MemoryComputer;
  agent: Agent;
  dir: string;
}

/** An agent on a computer in memory and a scripted model, with its trajectory in a temporary folder. All of it is gone afterwards. */
export async function withAgent<T>(
  replies: Script,
  use: (run: ScriptedRun) => Promise<T>,
  options: { agent?: AgentOptions; computer?: Partial<MemoryComputerOptions>; labels?: LabelScript } = {},
): Promise<T> {
  await using server = await ScriptedServer.start(replies, options.labels && { labels: options.labels });
  const parent = await mkdtemp(join(tmpdir(), "deskhand-test-"));
  try {
    const computer = new MemoryComputer({ widthPx: 640, heightPx: 480, ...options.computer });
    const dir = join(parent, "run");
    const agent = new Agent({ baseURL: server.url, model: "tiny", computer, outDir: dir, ...options.agent });
    return await use({ server, computer, agent, dir });
  } finally {
    await rm(parent, { recursive: true });
  }
}

export interface ReadTrajectory {
  lines: TrajectoryLine[];
  run: RunLine;
  steps: StepLine[];
  result: ResultLine;
  files: string[];
  html: string;
}

export async function readTrajectory({ trajectoryDir }: Pick<AgentResult, "trajectoryDir">): Promise<ReadTrajectory> {
  const text = await readFile(join(trajectoryDir, "trajectory.jsonl"), "utf8");
  const lines = text.trimEnd().split("\n").map((line) => JSON.parse(line) as TrajectoryLine);
  return {
    lines,
    run: lines[0] as RunLine,
    steps: lines.filter((line) => line.type === "step"),
    result: lines.at(-1) as ResultLine,
    files: (await readdir(trajectoryDir)).sort(),
    html: await readFile(join(trajectoryDir, "index.html"), "utf8"),
  };
}
