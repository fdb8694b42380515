import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { BUILD } from "./paths.js";

const POLL_MS = 200;

/**
 * Takes the set-up lock of this checkout, waiting while another living process holds it.
 * @param {{ file?: string, onWait?: (pid: number) => void }} [options]
 * @returns {Promise<() => void>} gives the lock back; safe to call twice
 */
export async function takeLock({ file = join(BUILD, "setup.lock"), onWait } = {}) {
  mkdirSync(dirname(file), { recursive: true });
  const mine = `${process.pid} ${startTimeOf(process.pid)}`;
  let told = false;
  for (;;) {
    try {
      writeFileSync(file, mine, { flag: "wx" });
      return () => {
        if (read(file) === mine) rmSync(file, { force: true });
      };
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    const holder = read(file);
    if (holder !== undefined && !isAlive(holder)) {
      removeStale(file, holder);
      continue;
    }
    if (holder !== undefined && !told) {
      onWait?.(Number.parseInt(holder, 10));
      told = true;
    }
    await sleep(POLL_MS);
  }
}

/** By rename, so that of two processes that saw the same dead holder only one removes it, and never a new lock. */
function removeStale(file, holder) {
  const aside = `${file}.stale-${process.pid}`;
  try {
    renameSync(file, aside);
  } catch {
    return; // another one was faster
  }
  if (read(aside) === holder) rmSync(aside, { force: true });
  else renameSync(aside, file);
}

/** A pid alone can belong to a later process, above all in a container that was started anew. */
function isAlive(holder) {
  const [pid, startTime] = holder.split(" ");
  if (!/^\d+$/.test(pid)) return true; // just being written
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    return error.code === "EPERM";
  }
  return startTimeOf(pid) === startTime;
}

/** Field 22 of Linux's /proc/PID/stat; elsewhere empty, which makes the pid decide alone. */
function startTimeOf(pid) {
  const stat = read(`/proc/${pid}/stat`);
  return stat === undefined ? "" : (stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "");
}

function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
