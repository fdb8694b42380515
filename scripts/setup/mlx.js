import { existsSync, readFileSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { SetupError } from "./errors.js";
import { BUILD } from "./paths.js";
import { installWheels, isUnpacked, readLock } from "./wheel.js";

/** @typedef {{ backend: "cpu" | "cuda" | "metal", wheels: { file: string, sha256: string }[], folder: string }} Mlx */

/**
 * What this machine is, as far as the choice of MLX needs it. Cheap: it starts no process.
 * @returns {{ platform: string, arch: string, wanted: string, macos?: number, nvidiaDriver?: number }}
 */
export function describeMachine(env = process.env) {
  return {
    platform: process.platform,
    arch: process.arch,
    wanted: env.DESKHAND_BACKEND || "auto",
    macos: process.platform === "darwin" ? macosOfDarwin(release()) : undefined,
    nvidiaDriver: process.platform === "linux" ? nvidiaDriver() : undefined,
  };
}

/** macOS 14 is Darwin 23, 15 is 24; from Darwin 25 on Apple counts 26, 27, … */
export function macosOfDarwin(darwin) {
  const major = Number.parseInt(darwin, 10);
  return major >= 25 ? major + 1 : major - 9;
}

/** Major version of the NVIDIA driver, when a card is within reach of this process (a container may see the one without the other). */
function nvidiaDriver() {
  if (!existsSync("/dev/nvidiactl")) return undefined;
  try {
    const match = /\b(\d{3,})\.\d+/.exec(readFileSync("/proc/driver/nvidia/version", "utf8"));
    return match === null ? undefined : Number(match[1]);
  } catch {
    return undefined;
  }
}

/**
 * The MLX build for a machine: Metal on Apple silicon; on Linux CUDA where an NVIDIA driver is new enough, else the CPU.
 * @param {any} lock native/mlx.lock.json
 * @param {ReturnType<typeof describeMachine>} machine
 * @returns {Mlx}
 */
export function chooseMlx(lock, machine) {
  const { platform, arch, wanted } = machine;
  if (!["auto", "cpu", "cuda", "metal"].includes(wanted)) {
    throw new SetupError(`Expected DESKHAND_BACKEND to be auto, cpu, cuda or metal but received ${JSON.stringify(wanted)}.`, { mend: "unset DESKHAND_BACKEND" });
  }
  const fits = (entry) =>
    entry.platform === platform && entry.arch === arch && (entry.minimumMacos ?? 0) <= (machine.macos ?? 0) && (entry.minimumDriver ?? 0) <= (machine.nvidiaDriver ?? 0);
  const order = wanted === "auto" ? ["metal", "cuda", "cpu"] : [wanted];
  for (const backend of order) {
    const names = backend === "cuda" ? ["cuda-13", "cuda-12"] : [backend];
    for (const name of names) {
      const entry = lock.backends[name].find(fits);
      if (entry !== undefined) return { backend, wheels: entry.wheels, folder: join(BUILD, "mlx", backend) };
    }
  }
  throw new SetupError(`There is no MLX ${lock.mlx} build for ${platform} ${arch}${wanted === "auto" ? "" : ` with DESKHAND_BACKEND=${wanted}`}.`, { mend: adviceFor(machine) });
}

function adviceFor({ platform, arch, wanted, nvidiaDriver: driver }) {
  if (platform === "darwin" && arch === "arm64") return wanted === "cpu" || wanted === "cuda" ? "unset DESKHAND_BACKEND: Apple silicon uses metal" : "update to macOS 14 or newer";
  if (platform === "darwin") return "use a Mac with Apple silicon";
  if (platform !== "linux") return "use Linux or macOS (on Windows: WSL 2)";
  if (wanted === "cuda") return driver === undefined ? "no NVIDIA driver was found: install it (version 525 or newer), or set DESKHAND_BACKEND=cpu" : `the NVIDIA driver ${driver} is too old, or this is not x86_64: update it to 525 or newer, or set DESKHAND_BACKEND=cpu`;
  if (wanted === "metal") return "metal is for Apple silicon: unset DESKHAND_BACKEND";
  return "use an x86_64 or arm64 processor";
}

/** @returns {Promise<Mlx>} the MLX this machine uses, unpacked or not */
export async function findMlx() {
  return chooseMlx(await readLock(), describeMachine());
}

/** @param {Mlx} mlx */
export function mlxReady(mlx) {
  return isUnpacked(mlx.folder, mlx.wheels);
}

/** Downloads, checks and unpacks MLX into build/mlx/<backend>/. @param {Mlx} mlx */
export async function ensureMlx(mlx, onProgress) {
  checkLibc();
  await installWheels(mlx.wheels, mlx.folder, { onProgress });
}

/** MLX's Linux wheels are built for glibc 2.35 (Debian 12, Ubuntu 22.04, Fedora 36 and newer). */
function checkLibc() {
  if (process.platform !== "linux") return;
  const glibc = process.report.getReport().header.glibcVersionRuntime;
  if (glibc === undefined) throw new SetupError("MLX's Linux build needs glibc, and this system (perhaps Alpine) has another C library.", { mend: "use a distribution with glibc 2.35 or newer, e.g. Debian 12" });
  const [major, minor] = glibc.split(".").map(Number);
  if (major < 2 || (major === 2 && minor < 35)) throw new SetupError(`MLX's Linux build needs glibc 2.35 or newer, and this system has ${glibc}.`, { mend: "use a newer distribution, e.g. Debian 12 or Ubuntu 22.04" });
}
