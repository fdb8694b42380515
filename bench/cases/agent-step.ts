// The main job: a step's time by phase, on a virtual display with a real form.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StepLine, TrajectoryLine } from "../../src/agent/recorder/records.js";
import { fillInForm } from "../../src/tools/main-job.js";
import { emit, median, peakMemory, type Figure } from "../report.js";

const outDir = await mkdtemp(join(tmpdir(), "deskhand-bench-"));
try {
  const { success, result } = await fillInForm({ outDir });
  if (!success) throw new Error(`Expected the main job to succeed but it ended with: ${result.reason}`);
  const lines = (await readFile(join(result.trajectoryDir, "trajectory.jsonl"), "utf8")).trim().split("\n").map((line) => JSON.parse(line) as TrajectoryLine);
  const steps = lines.filter((line): line is StepLine => line.type === "step");
  const phases = Object.keys(steps[0]!.timings) as (keyof StepLine["timings"])[];
  const figures = phases.map((phase): Figure => ({ name: `agent step: ${phase.replace(/Ms$/, "")}`, value: median(steps.map(({ timings }) => timings[phase] ?? 0)), unit: "ms" }));
  emit([...figures, { name: `main job: ${steps.length} steps`, value: result.durationMs / 1000, unit: "s" }, peakMemory("main job: peak memory")]);
} finally {
  await rm(outDir, { recursive: true });
}
