import { execFile } from "node:child_process";
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");
const REQUIREMENTS = join(import.meta.dirname, "requirements.txt");

/** A Python with the packages of requirements.txt, made once below build/. */
export async function pythonWithClients(): Promise<string> {
  const dir = join(root, "build/contract-python");
  const stamp = join(dir, "requirements.txt");
  const python = join(dir, "bin/python");
  const wanted = readFileSync(REQUIREMENTS, "utf8");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return python;
  rmSync(dir, { recursive: true, force: true });
  await run("python3", ["-m", "venv", dir]);
  await run(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement", REQUIREMENTS]);
  // Only a finished one counts.
  writeFileSync(`${stamp}.part`, wanted);
  renameSync(`${stamp}.part`, stamp);
  return python;
}

/** What a program prints, as JSON. */
export async function runPython(python: string, program: string, args: readonly string[]): Promise<unknown> {
  const { stdout } = await run(python, [join(import.meta.dirname, program), ...args], { maxBuffer: 64 * 2 ** 20 });
  return JSON.parse(stdout);
}
