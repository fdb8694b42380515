// `npm run bench [-- CASE …]`: every case in a process of its own, one after the other; one table and one JSON line.
import { spawnSync } from "node:child_process";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { bestDevice, mlxVersion } from "../src/engine/mlx/index.js";
import { table, type Figure } from "./report.js";

const CASES = ["addon", "embedded", "qwen3-0.6b", "growth", "batching", "history", "agent-step", "start"];

const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => !CASES.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`Expected cases among ${CASES.join(", ")} but received ${unknown.join(", ")}.\n`);
  process.exit(2);
}

const figures: Figure[] = [];
for (const name of chosen.length > 0 ? chosen : CASES) {
  process.stderr.write(`measuring ${name} …\n`);
  const { stdout, status } = spawnSync(process.execPath, ["--import", "tsx", fileURLToPath(new URL(`cases/${name}.ts`, import.meta.url))], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  if (status !== 0) {
    process.stderr.write(`The case ${name} failed with exit code ${status}.\n`);
    process.exit(1);
  }
  figures.push(...(JSON.parse(stdout.trim().split("\n").at(-1)!) as Figure[]));
}

const machine = `${cpus()[0]?.model ?? "unknown processor"}, ${cpus().length} processors, ${bestDevice()}, MLX ${mlxVersion}, Node ${process.version}`;
process.stdout.write(`${machine}\n\n${table(figures)}\n\n${JSON.stringify({ machine, figures })}\n`);
