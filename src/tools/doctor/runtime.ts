import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";
import { messageOf } from "../../core/errors.js";
import type { Check } from "./check.js";
import { installCommand } from "./install.js";

/** package.json's `engines`. */
const OLDEST_NODE = [20, 19] as const;
const LOAD_TIMEOUT_MS = 30_000;
/** From src/tools/doctor and from dist/tools/doctor alike. */
const ADDON = fileURLToPath(new URL("../../../build/native/deskhand.node", import.meta.url));

export function checkNode(version = process.versions.node): Check {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_NODE;
  const isNewEnough = major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
  const check = { id: "node", title: "Node", found: `v${version}` };
  return isNewEnough ? { ...check, status: "ok" } : { ...check, status: "fail", mend: `install Node ${OLDEST_NODE.join(".")} or newer, e.g. nvm install ${OLDEST_NODE[0]}` };
}

/** What the child process prints about the addon it has loaded. */
const addonReport = z.object({
  mlx: z.string(),
  gpu: z.boolean(),
  /** Paths of the libraries mapped into the process; empty where /proc is not there. */
  libraries: z.array(z.string()),
});

/** Loads the addon as the engine does, in a process of its own: an addon that crashes must not take the doctor with it. */
const PROBE = `
const loaded = { exports: {} };
process.dlopen(loaded, process.argv[1]);
let libraries = [];
try {
  const maps = require("node:fs").readFileSync("/proc/self/maps", "utf8");
  libraries = [...new Set(maps.split("\\n").map((line) => line.slice(line.indexOf("/"))).filter((path) => /\\.so(\\.|$)/.test(path)))];
} catch {}
console.log(JSON.stringify({ mlx: loaded.exports.mlxVersion, gpu: loaded.exports.gpuAvailable(), libraries }));
`;

/** Whether the native addon loads, with which MLX, and on the CPU whether OpenBLAS does its matrix products. */
export async function checkAddon(addon = ADDON): Promise<Check[]> {
  const check = { id: "addon", title: "Native addon" };
  let report: z.infer<typeof addonReport>;
  try {
    const { stdout } = await promisify(execFile)(process.execPath, ["-e", PROBE, addon], { timeout: LOAD_TIMEOUT_MS });
    report = addonReport.parse(JSON.parse(stdout));
  } catch (error) {
    return [{ ...check, status: "fail", found: `does not load: ${reasonOf(error)}`, mend: "npm run build:native" }];
  }
  const device = report.gpu ? (process.platform === "darwin" ? "Metal" : "CUDA") : "the CPU";
  const loaded: Check = { ...check, status: "ok", found: `loads: MLX ${report.mlx} on ${device}` };
  return report.gpu || process.platform !== "linux" ? [loaded] : [loaded, blasCheck(report.libraries)];
}

function blasCheck(libraries: readonly string[]): Check {
  const check = { id: "openblas", title: "OpenBLAS" };
  const library = libraries.find((path) => /\/libopenblas/.test(path));
  if (library !== undefined) return { ...check, status: "ok", found: library };
  return { ...check, status: "warn", found: "not in use: f32 matrix products take MLX's slow ones", mend: `${installCommand({ apt: "libopenblas0-pthread", dnf: "openblas-threads", pacman: "openblas" })} && npm run build:native` };
}

/** Of a failed child process: what Node says about the error, without the program and the stack. */
function reasonOf(error: unknown): string {
  const stderr = error instanceof Error && "stderr" in error ? String(error.stderr) : "";
  return /^\w*Error: (.*)$/m.exec(stderr)?.[1] ?? messageOf(error).split("\n", 1).join("");
}
