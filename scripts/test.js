// `npm test [-- vitest's arguments]`: sets the checkout up, then lint, types, the macOS build and the tests.
// With arguments (a file, -t NAME) only the tests run. The last line is `N passed, N failed[, N skipped]`.
import { spawn } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { crossMacos } from "./cross-macos.js";
import { ensureReady } from "./setup/ensure-ready.js";
import { SetupError } from "./setup/errors.js";
import { BUILD, ROOT } from "./setup/paths.js";
import { failureText, Reporter } from "./setup/report.js";
import { addUp, closingLine } from "./setup/test-summary.js";

const RESULTS = join(BUILD, "test-results.json");
const BIN = join(ROOT, "node_modules");

const filters = process.argv.slice(2);
await ensureReady({ for: "test" });

const checks = filters.length > 0 ? [] : [await check("Lint", lint), await check("Types", types), await check("macOS build", macos)];
const vitest = await runTests();
const sum = addUp(readResults(), vitest, checks);
process.stdout.write(`\n${closingLine(sum)}\n`);
process.exitCode = sum.failed > 0 ? 1 : vitest;

/** @param {string} name @param {() => Promise<boolean>} work */
async function check(name, work) {
  const start = performance.now();
  const ok = await work();
  process.stdout.write(`${ok ? "✓" : "✗"} ${name} (${((performance.now() - start) / 1000).toFixed(1)} s)\n`);
  return ok;
}

async function lint() {
  return (await node([join(BIN, "eslint", "bin", "eslint.js"), ROOT])) === 0;
}

async function types() {
  const cache = ["--incremental", "--tsBuildInfoFile", join(BUILD, "types.tsbuildinfo")];
  const tsc = join(BIN, "typescript", "bin", "tsc");
  const page = (await node([tsc, "-p", join(ROOT, "src", "server", "page"), "--noEmit"])) === 0;
  return (await node([tsc, "-p", join(ROOT, "tsconfig.json"), "--noEmit", ...cache])) === 0 && page;
}

async function macos() {
  // A Mac has just built the addon for itself.
  if (process.platform !== "linux") return true;
  try {
    await crossMacos(new Reporter());
    return true;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(failureText(error));
    return false;
  }
}

function runTests() {
  rmSync(RESULTS, { force: true });
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${RESULTS}`];
  return node([join(BIN, "vitest", "vitest.mjs"), "run", ...reporters, ...filters]);
}

function readResults() {
  try {
    return JSON.parse(readFileSync(RESULTS, "utf8"));
  } catch {
    return undefined; // vitest ended before it could write them
  }
}

/** Runs Node with the terminal's own output. @returns {Promise<number>} the exit code */
function node(args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: "inherit" });
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
}
