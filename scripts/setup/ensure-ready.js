import { existsSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { SetupError } from "./errors.js";
import { takeLock } from "./lock.js";
import { ensureMlx, findMlx, mlxReady } from "./mlx.js";
import { buildNative, nativePrint } from "./native.js";
import { npmInstall, npmReady } from "./npm.js";
import { ensurePackages, missingOf, pipWorks } from "./packages.js";
import { ADDON, BUILD, ROOT } from "./paths.js";
import { failureText, Reporter } from "./report.js";
import { PIP } from "./requirements.js";
import { endChildren } from "./run.js";
import { isStamped, writeStamp } from "./stamp.js";
import { buildTypescript, distExists, typescriptPrint } from "./typescript.js";

/** What each purpose needs on the system beside what builds the project. */
const GROUPS = { start: ["desktop", "demo"], test: ["desktop", "demo", "test"], run: [] };

/** @typedef {"start" | "test" | "run"} Purpose */
/** @typedef {"npm" | "mlx" | "native" | "typescript"} Phase */

/**
 * Makes the checkout ready: system packages, node_modules/, MLX, the native addon, dist/. Does only what is not there
 * yet, and prints nothing when all is (about 0.1 s). Safe to run twice at once and to interrupt at any point.
 * On failure it says what failed and what mends it, and ends the process with exit code 1.
 * @param {object} [options]
 * @param {Purpose} [options.for] `start`: the main job; `test`: the tests; `run`: the `deskhand` command, which installs
 *   no system packages beside those the build needs
 * @param {Phase[]} [options.only] only these phases (and what they build on)
 * @param {boolean} [options.force] build again what is in place
 * @param {boolean} [options.quiet] print failures only
 * @returns {Promise<{ changed: boolean }>}
 */
export async function ensureReady({ for: purpose = "run", only, force = false, quiet = false } = {}) {
  const report = new Reporter({ quiet });
  try {
    if (isDone(await inspect(purpose, only, force))) return { changed: false };
    await underLock(report, async () => makeReady(await inspect(purpose, only, force), report));
    return { changed: true };
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(failureText(error));
    process.exit(1);
  }
}

/**
 * Does work that writes below build/ while no other process does. Ctrl-C and SIGTERM end the running child (a package
 * manager may finish first), the work cleans up after itself, the lock is given back, and the process ends.
 * @template T
 * @param {Reporter} report
 * @param {() => Promise<T>} work
 * @param {{ file?: string }} [options] the lock file
 * @returns {Promise<T>}
 */
export async function underLock(report, work, { file } = {}) {
  let received;
  const onSignal = (signal) => {
    received = signal;
    report.note(`\n${signal}: ending the set-up. What is in place stays; run the command again to go on.`);
    endChildren();
  };
  const release = await takeLock({ file, onWait: (pid) => report.note(`Another set-up of this checkout is running (process ${pid}); waiting for it.`) });
  process.once("SIGINT", onSignal).once("SIGTERM", onSignal);
  try {
    return await work();
  } finally {
    process.removeListener("SIGINT", onSignal).removeListener("SIGTERM", onSignal);
    release();
    if (received !== undefined) process.exit(received === "SIGINT" ? 130 : 143);
  }
}

/** What is to be done. Reads files, starts nothing. */
async function inspect(purpose, only, force) {
  const selected = (phase) => only === undefined || only.includes(phase);
  const mlx = await findMlx();
  const needsMlx = (selected("mlx") || selected("native")) && !(await mlxReady(mlx));
  const needsNative = selected("native") && (force || !existsSync(ADDON) || !isStamped("native", nativePrint(mlx)));
  const dist = typescriptPrint();
  const missing = missingOf([...(only === undefined ? GROUPS[purpose] : []), ...(needsMlx ? ["fetch"] : []), ...(needsNative ? ["build"] : [])]);
  return {
    purpose,
    mlx,
    npm: selected("npm") && !npmReady(),
    needsMlx,
    needsNative,
    typescript: selected("typescript") && dist !== undefined && (force || !distExists() || !isStamped("typescript", dist)),
    missing,
    // What one can do without is named once, not at every start.
    told: missing.length === 0 || (missing.every((requirement) => requirement.without !== undefined) && isStamped(`told-${purpose}`, toldPrint(missing))),
  };
}

function isDone({ npm, needsMlx, needsNative, typescript, told }) {
  return !npm && !needsMlx && !needsNative && !typescript && told;
}

/** Tells again when something else is missing, and tries again when the user may install now. */
function toldPrint(missing) {
  return JSON.stringify([missing.map((requirement) => requirement.name), process.getuid?.(), process.env.DESKHAND_NO_APT ?? "", process.stdin.isTTY === true]);
}

async function makeReady(plan, report) {
  const start = performance.now();
  report.note("Setting up Deskhand; a later run finds all this in place.");
  await sweep();
  const missing = [...plan.missing];
  const pythonMissing = missing.some((requirement) => requirement.name === "python3");
  if (plan.needsMlx && (pythonMissing || !(await pipWorks()))) missing.push(PIP);
  if (missing.length > 0) writeStamp(`told-${plan.purpose}`, toldPrint(await ensurePackages(missing, report)));
  if (plan.npm) await report.phase("Node packages", npmInstall);
  if (plan.needsMlx) await report.phase(`MLX for ${plan.mlx.backend}`, (progress) => ensureMlx(plan.mlx, progress));
  if (plan.needsNative) {
    const print = nativePrint(plan.mlx);
    const warnings = await report.phase("Native addon", (progress) => buildNative(plan.mlx, progress));
    for (const warning of warnings) report.note(`Warning: ${warning}`);
    writeStamp("native", print);
  }
  if (plan.typescript) {
    const print = typescriptPrint();
    await report.phase("TypeScript", buildTypescript);
    writeStamp("typescript", print);
  }
  report.note(`Set-up done in ${((performance.now() - start) / 1000).toFixed(1)} s.`);
}

/** Removes what a set-up that was killed outright has left. Only under the lock. */
async function sweep() {
  for (const folder of [ROOT, BUILD, join(BUILD, "mlx"), join(BUILD, "downloads"), join(BUILD, "macos")]) {
    const names = await readdir(folder).catch(() => []);
    for (const name of names) if (/(^\.|\.)(part|old)-\d+/.test(name)) await rm(join(folder, name), { recursive: true, force: true });
  }
}
