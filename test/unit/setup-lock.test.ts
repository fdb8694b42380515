import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";
import { takeLock } from "../../scripts/setup/lock.js";

const moduleOf = (name: string) => JSON.stringify(pathToFileURL(join(import.meta.dirname, "../../scripts/setup", name)).href);

/** A process that has ended may stay listed as a zombie: in a container often nobody collects orphans. */
function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return !existsSync("/proc/self/stat") || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
}

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "deskhand-lock-"));
  file = join(folder, "setup.lock");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it("lets one in at a time and tells the other for whom it waits", async () => {
  const release = await takeLock({ file });
  const waiting: number[] = [];
  let second: (() => void) | undefined;
  const later = takeLock({ file, onWait: (pid) => waiting.push(pid) }).then((free) => (second = free));
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(waiting).toEqual([process.pid]);
  expect(second).toBeUndefined();
  release();
  (await later)();
  expect(existsSync(file)).toBe(false);
});

it("is taken over from a process that has died, and from one whose number another process has now", async () => {
  const dead = spawnSync(process.execPath, ["-e", ""]).pid;
  for (const holder of [`${dead} 1`, `${process.pid} 1`]) {
    writeFileSync(file, holder);
    (await takeLock({ file }))();
  }
  expect(readdirSync(folder)).toEqual([]);
});

it("is taken in a copy of a checkout while another process holds the original", async () => {
  const release = await takeLock({ file });
  const copy = join(folder, "copy.lock");
  copyFileSync(file, copy);
  (await takeLock({ file: copy }))();
  expect(existsSync(file)).toBe(true);
  release();
  expect(readdirSync(folder)).toEqual([]);
});

it("processes that start together write one after the other", async () => {
  const log = join(folder, "log");
  const script = `
    const { takeLock } = await import(${moduleOf("lock.js")});
    const { appendFileSync } = await import("node:fs");
    const release = await takeLock({ file: ${JSON.stringify(file)} });
    appendFileSync(${JSON.stringify(log)}, "in ");
    await new Promise((resolve) => setTimeout(resolve, 30));
    appendFileSync(${JSON.stringify(log)}, "out ");
    release();`;
  writeFileSync(file, `${spawnSync(process.execPath, ["-e", ""]).pid} 1`);
  const children = Array.from({ length: 5 }, () => spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: "inherit" }));
  const codes = await Promise.all(children.map(async (child) => ((await once(child, "close")) as [number])[0]));
  expect(codes).toEqual([0, 0, 0, 0, 0]);
  expect(readFileSync(log, "utf8")).toBe("in out ".repeat(5));
});

it.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)("%s ends the running command and its children, cleans up, gives the lock back and exits %i", async (signal, code) => {
  const script = `
    const { underLock } = await import(${moduleOf("ensure-ready.js")});
    const { Reporter } = await import(${moduleOf("report.js")});
    const { run } = await import(${moduleOf("run.js")});
    const { rmSync, writeFileSync } = await import("node:fs");
    const partial = ${JSON.stringify(join(folder, "half-done"))};
    await underLock(new Reporter(), async () => {
      writeFileSync(partial, "");
      try {
        await run("sh", ["-c", "sleep 60 & echo $!; wait"], { onLine: (line) => console.log(line) });
        await run("sh", ["-c", "echo must not start"], { onLine: (line) => console.log(line) });
      } finally {
        rmSync(partial);
      }
    }, { file: ${JSON.stringify(file)} });`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
  await once(child.stdout, "data");
  const sleeper = Number(output);
  expect(existsSync(file)).toBe(true);
  child.kill(signal);
  expect(await once(child, "close")).toEqual([code, null]);
  expect(readdirSync(folder)).toEqual([]);
  expect(output.trim()).toBe(String(sleeper));
  expect(runs(sleeper)).toBe(false);
});
